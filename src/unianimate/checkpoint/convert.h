// Any checkpoint to safetensors.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/progress.h"

namespace unianimate::checkpoint {

struct ConvertOptions {
  std::optional<at::ScalarType> floating_type;  ///< of the floating-point tensors; where empty, as they are
  bool allow_nonfinite = false;                 ///< write values that are not finite in that type, with a note
};

struct ConvertReport {
  std::int64_t tensors = 0;
  std::int64_t bytes = 0;  ///< of the tensors written
};

/// Throws Error(kUsage) where `output` is one of the input's files or does not end in ".safetensors".
void check_converted_output(const Checkpoint& input, const std::filesystem::path& output);

/// Writes the tensors of `input` to the safetensors file `output`, under their names. One tensor is in memory at a
/// time; tensors that share a storage become separate. Safetensors metadata is kept. Every checksum of the file is
/// compared. Steps of `progress` are tensors. Throws what
/// check_converted_output(), open_checkpoint and SafetensorsWriter throw, and Error(kInput) naming the first
/// tensor with values that are not finite; `output` then stands as it did before.
ConvertReport convert_checkpoint(const std::filesystem::path& input, const std::filesystem::path& output,
                                 const ConvertOptions& options, Progress& progress);

}  // namespace unianimate::checkpoint
