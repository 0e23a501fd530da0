// The safetensors container: a JSON header, then the tensors.
#pragma once

#include "unianimate/checkpoint/checkpoint_content.h"
#include "unianimate/checkpoint/checkpoint_file.h"

namespace unianimate::checkpoint {

/// Throws Error(kInput) for headers of more than 100 MB or beyond the file, and for all the format does not allow:
/// unknown fields, names given twice, tensors that overlap, leave gaps, or do not fill the file exactly.
CheckpointContent read_safetensors(const CheckpointFile& file);

}  // namespace unianimate::checkpoint
