#include "unianimate/core/error.h"

#include <string_view>

namespace unianimate {

namespace {

/// The length of the valid UTF-8 sequence at the start of `text`, 0 where there is none.
std::size_t utf8_sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  std::size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) >= 0xA0;
  const bool beyond_unicode = lead == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond_unicode ? 0 : length;
}

}  // namespace

int exit_status(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kUsage:
      return 2;
    case ErrorKind::kInput:
      return 3;
    case ErrorKind::kEnvironment:
      return 4;
    case ErrorKind::kCancelled:
      return 130;
  }
  return 1;
}

std::string printable(std::string_view text, std::size_t max_length) {
  std::string out;
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text.front());
    std::string piece;
    std::size_t consumed = 1;
    if (lead >= 0x20 && lead < 0x7F) {
      piece = text.front();
    } else if (const std::size_t length = utf8_sequence_length(text);
               length > 0 && !(lead == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0)) {
      piece = text.substr(0, length);
      consumed = length;
    } else {
      piece = fmt::format("\\x{:02x}", lead);
    }
    if (out.size() + piece.size() > max_length) return out + "…";
    out += piece;
    text.remove_prefix(consumed);
  }
  return out;
}

}  // namespace unianimate
