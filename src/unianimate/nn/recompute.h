// Trading time for memory when training (Chen, Xu, Zhang, Guestrin: "Training Deep Nets with Sublinear Memory Cost").
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

namespace unianimate::nn {

/// A part of a network: tensors to a tensor. What it depends on beside its arguments may only be parameters.
using NetworkPart = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

/// part(inputs), of which only the inputs and the result are kept for the gradients: the part runs a second time when
/// these are asked for, so it must outlive that and give the same again. Undefined inputs are passed on.
at::Tensor recompute(NetworkPart part, const std::vector<at::Tensor>& inputs);

}  // namespace unianimate::nn
