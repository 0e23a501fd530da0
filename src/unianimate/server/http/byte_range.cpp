#include "unianimate/server/http/byte_range.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "unianimate/server/http/message.h"

namespace unianimate::http {

namespace {

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char letter) { return letter >= '0' && letter <= '9'; });
}

/// The largest number for one that is larger.
std::uint64_t number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return result.ec == std::errc::result_out_of_range ? std::numeric_limits<std::uint64_t>::max() : value;
}

}  // namespace

std::variant<WholeContent, ByteRange, NoSuchBytes> parse_byte_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (header.size() < kUnit.size() || !same_name(header.substr(0, kUnit.size()), kUnit)) return WholeContent{};
  const std::string_view range = header.substr(kUnit.size());
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return WholeContent{};
  const std::string_view first = range.substr(0, dash);
  const std::string_view last = range.substr(dash + 1);
  if (first.empty()) {
    if (!is_digits(last)) return WholeContent{};
    const std::uint64_t length = std::min(number(last), size);
    if (length == 0) return NoSuchBytes{};
    return ByteRange{size - length, size - 1};
  }
  if (!is_digits(first) || (!last.empty() && !is_digits(last))) return WholeContent{};
  const std::uint64_t begin = number(first);
  if (!last.empty() && number(last) < begin) return WholeContent{};
  if (begin >= size) return NoSuchBytes{};
  return ByteRange{begin, last.empty() ? size - 1 : std::min(number(last), size - 1)};
}

}  // namespace unianimate::http
