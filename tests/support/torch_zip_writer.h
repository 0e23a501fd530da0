// Writes checkpoints as torch.save does (its zip container), to test what reads them and to make model files by a rule.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/core/named_tensor.h"

namespace unianimate::testing {

struct TorchTensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  at::ScalarType type = at::kFloat;
};

struct TorchZipOptions {
  /// Wraps the tensors: {"state_dict": {...}, "step": step}.
  std::optional<std::int64_t> step;
  /// Wraps them as PyTorch Lightning does: {"epoch": ..., "callbacks": {CLASS: {...}}, "hyper": OBJECT, "np": NUMBER,
  /// "state_dict": {...}}.
  bool lightning = false;
};

/// Returns the tensor's values; called once for each tensor, in order, so that only one is in memory at a time.
using MakeTensor = std::function<at::Tensor(const TorchTensorSpec&)>;

/// The suffix of `path` (.pth, .bin, .ckpt) does not matter. Throws std::runtime_error where the file cannot be
/// written.
void write_torch_zip(const std::filesystem::path& path, const std::vector<TorchTensorSpec>& specs,
                     const MakeTensor& make, const TorchZipOptions& options = {});

void write_torch_zip(const std::filesystem::path& path, const NamedTensors& tensors,
                     const TorchZipOptions& options = {});

}  // namespace unianimate::testing
