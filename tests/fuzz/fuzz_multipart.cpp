// Any body as a multipart one: it reads the same however it is split, and gives no more than it was given.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/server/http/message.h"
#include "unianimate/server/http/multipart_reader.h"

namespace {

struct Read {
  std::string content;
  std::string name;
  bool operator==(const Read&) const = default;
};

/// Nothing where it is refused.
std::optional<Read> read_in_pieces(std::string_view body, std::size_t piece) {
  Read read;
  try {
    unianimate::http::MultipartReader reader("multipart/form-data; boundary=b",
                                             [&](std::string_view part) { read.content += part; });
    for (std::size_t at = 0; at < body.size(); at += piece) reader.read(body.substr(at, piece));
    reader.finish();
    read.name = reader.file_name();
  } catch (const unianimate::http::Refused&) {
    return std::nullopt;
  }
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read_in_pieces(body, body.size() + 1);
  if (whole != read_in_pieces(body, data[0] % 16U + 1)) __builtin_trap();
  if (whole && whole->content.size() > body.size()) __builtin_trap();
  return 0;
}
