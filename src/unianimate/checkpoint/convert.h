// Any checkpoint to safetensors.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "unianimate/core/progress.h"

namespace unianimate::checkpoint {

struct ConvertReport {
  std::int64_t tensors = 0;
  std::int64_t bytes = 0;  ///< of the tensors written
};

/// Writes the tensors of `input` to the safetensors file `output`, the floating-point ones as `floating_type` where it
/// is given, the others as they are. One tensor is in memory at a time; tensors that share a storage become separate.
/// Safetensors metadata is kept. Steps of `progress` are tensors. Throws what open_checkpoint and SafetensorsWriter
/// throw; `output` then stands as it did before.
ConvertReport convert_checkpoint(const std::filesystem::path& input, const std::filesystem::path& output,
                                 std::optional<at::ScalarType> floating_type, Progress& progress);

}  // namespace unianimate::checkpoint
