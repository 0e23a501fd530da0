// torch.save's zip container (PyTorch 1.6 and later).
#pragma once

#include "unianimate/checkpoint/checkpoint_content.h"
#include "unianimate/checkpoint/checkpoint_file.h"

namespace unianimate::checkpoint {

/// Throws Error(kInput) for anything torch.save would not have written. The tensors' CRC-32 are recorded, not checked.
CheckpointContent read_torch_zip(const CheckpointFile& file);

}  // namespace unianimate::checkpoint
