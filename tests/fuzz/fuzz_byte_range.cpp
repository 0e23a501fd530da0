// Any text as a header Range: what it asks for lies in the content.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "unianimate/server/http/byte_range.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using unianimate::http::ByteRange;
  std::uint64_t content = 0;
  if (size < sizeof content) return 0;
  std::memcpy(&content, data, sizeof content);
  const std::string_view header(reinterpret_cast<const char*>(data) + sizeof content, size - sizeof content);
  const auto asked = unianimate::http::parse_byte_range(header, content);
  if (const auto* const range = std::get_if<ByteRange>(&asked)) {
    if (range->first > range->last || range->last >= content) __builtin_trap();
  }
  return 0;
}
