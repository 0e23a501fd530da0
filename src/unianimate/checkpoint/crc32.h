// The checksum zip files keep of their members.
#pragma once

#include <cstdint>

#include "unianimate/checkpoint/checkpoint_file.h"

namespace unianimate::checkpoint {

/// Whether [begin, begin + size) of `file` has this CRC-32. A recorded 0 counts as a match: PyTorch writes it when told
/// not to compute checksums.
bool crc32_matches(const CheckpointFile& file, std::size_t begin, std::size_t size, std::uint32_t recorded);

}  // namespace unianimate::checkpoint
