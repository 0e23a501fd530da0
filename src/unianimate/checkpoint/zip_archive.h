// The directory of a zip file whose members are stored uncompressed, as torch.save writes them.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "unianimate/checkpoint/checkpoint_file.h"

namespace unianimate::checkpoint {

struct ZipMember {
  std::size_t begin = 0;  ///< offset in the file of the member's first byte
  std::size_t size = 0;
  std::uint32_t crc32 = 0;
};

/// Member names, as views of the file -> where the members lie.
using ZipDirectory = std::unordered_map<std::string_view, ZipMember>;

/// Reads the central directory (zip and zip64). Throws Error(kInput) for a missing or inconsistent directory, and for
/// members that are compressed, encrypted, named twice, overlapping or outside the file.
ZipDirectory read_zip_directory(const CheckpointFile& file);

}  // namespace unianimate::checkpoint
