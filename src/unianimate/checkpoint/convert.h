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

/// Opens what is to be converted. Throws what open_checkpoint() throws, and Error(kUsage) where `output` is one of the
/// input's files or, before anything is read, does not end in ".safetensors".
Checkpoint open_to_convert(const std::filesystem::path& input, const std::filesystem::path& output);

/// Writes the tensors of `input` to the safetensors file `output`, under their names. One tensor is in memory at a
/// time; tensors that share a storage become separate. Safetensors metadata is kept; to fp16, weights_hash() is
/// noted in it. Every checksum of the file is
/// compared. Steps of `progress` are tensors. Throws what open_to_convert() and SafetensorsWriter throw, Error(kUsage)
/// where the type of weights in 8 bits is to be changed, and Error(kInput) naming the first tensor with values that are
/// not finite; `output` then stands as it did before.
ConvertReport convert_checkpoint(const std::filesystem::path& input, const std::filesystem::path& output,
                                 const ConvertOptions& options, Progress& progress);

}  // namespace unianimate::checkpoint
