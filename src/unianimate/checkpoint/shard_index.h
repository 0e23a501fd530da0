// The index of a checkpoint in several files, as Hugging Face's libraries write it.
#pragma once

#include <map>
#include <set>
#include <string>

#include "unianimate/checkpoint/checkpoint_file.h"

namespace unianimate::checkpoint {

/// The name of each file, which lies beside the index -> the names of its tensors. Throws Error(kInput) for anything
/// but {"weight_map": {name: file, …}, …}, for names given twice, and for files that would lie elsewhere.
std::map<std::string, std::set<std::string>> read_shard_index(const CheckpointFile& index);

}  // namespace unianimate::checkpoint
