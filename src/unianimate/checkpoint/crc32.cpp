#include "unianimate/checkpoint/crc32.h"

#include <zlib.h>

#include <algorithm>

namespace unianimate::checkpoint {

namespace {

constexpr std::size_t kPiece = std::size_t{64} << 20;

}  // namespace

bool crc32_matches(const MappedFile& file, std::size_t begin, std::size_t size, std::uint32_t recorded) {
  if (recorded == 0) return true;
  uLong computed = ::crc32(0, nullptr, 0);
  for (std::size_t done = 0; done < size; done += kPiece) {
    const std::string_view piece = file.bytes().substr(begin + done, std::min(kPiece, size - done));
    computed = ::crc32_z(computed, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
    if (size > kPiece) file.drop(begin + done, piece.size());
  }
  return computed == recorded;
}

}  // namespace unianimate::checkpoint
