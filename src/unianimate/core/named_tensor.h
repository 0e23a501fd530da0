// What a model offers to be filled, saved or trained: its tensors under their checkpoint names.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace unianimate {

/// `tensor` shares storage with the model's parameter, so writing into it writes into the model.
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

using NamedTensors = std::vector<NamedTensor>;

}  // namespace unianimate
