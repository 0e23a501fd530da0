// What a checkpoint holds.
#pragma once

#include <filesystem>

#include "unianimate/checkpoint/loading.h"

namespace unianimate::testing {

/// All tensors, under the file's names.
inline NamedTensors tensors_of(const std::filesystem::path& file) {
  const checkpoint::Checkpoint opened = checkpoint::open_checkpoint(file);
  NamedTensors tensors;
  for (const auto& entry : opened.tensors()) tensors.push_back({entry.name, checkpoint::materialize(opened, entry)});
  return tensors;
}

}  // namespace unianimate::testing
