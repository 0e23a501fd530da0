#include "unianimate/checkpoint/crc32.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

namespace unianimate::checkpoint {

namespace {

/// Small enough to stay in a processor's cache between reading and summing.
constexpr std::size_t kPiece = std::size_t{1} << 18;

}  // namespace

bool crc32_matches(const CheckpointFile& file, std::size_t begin, std::size_t size, std::uint32_t recorded) {
  if (recorded == 0) return true;
  uLong computed = ::crc32(0, nullptr, 0);
  std::vector<char> piece(std::min(kPiece, size));
  for (std::size_t done = 0; done < size; done += piece.size()) {
    piece.resize(std::min(kPiece, size - done));
    file.read(begin + done, piece);
    computed = ::crc32_z(computed, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
  }
  return computed == recorded;
}

}  // namespace unianimate::checkpoint
