// torch.save's container before PyTorch 1.6: pickles one after the other, then the storages.
#pragma once

#include "unianimate/checkpoint/checkpoint_content.h"
#include "unianimate/checkpoint/checkpoint_file.h"

namespace unianimate::checkpoint {

/// Throws Error(kInput) for anything torch.save would not have written.
CheckpointContent read_torch_legacy(const CheckpointFile& file);

}  // namespace unianimate::checkpoint
