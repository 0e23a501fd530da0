// The header Range (RFC 9110, section 14).
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

namespace unianimate::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  ///< included

  [[nodiscard]] std::uint64_t length() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};
/// The header is to be passed over: of another unit, broken, or of several ranges.
struct WholeContent {
  bool operator==(const WholeContent&) const = default;
};
/// It asks for bytes that there are not.
struct NoSuchBytes {
  bool operator==(const NoSuchBytes&) const = default;
};

/// What a header "bytes=0-99" asks for of content of `size` bytes.
std::variant<WholeContent, ByteRange, NoSuchBytes> parse_byte_range(std::string_view header, std::uint64_t size);

}  // namespace unianimate::http
