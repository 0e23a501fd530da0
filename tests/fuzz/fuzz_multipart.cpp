// Any body as a form of one file, and of several and fields: it reads the same however it is split, and gives no more
// than it was given.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unianimate/server/http/message.h"
#include "unianimate/server/http/multipart_reader.h"

namespace {

struct Read {
  std::string content;  ///< of the files, one after the other
  std::string names;
  std::vector<std::pair<std::string, std::string>> fields;
  bool operator==(const Read&) const = default;
};

/// Nothing where it is refused.
std::optional<Read> read_in_pieces(std::string_view body, std::size_t piece, unianimate::http::FormLimits limits) {
  using Reader = unianimate::http::MultipartReader;
  Read read;
  try {
    Reader reader("multipart/form-data; boundary=b", limits, [&](const Reader::File& file) {
      read.names += file.field + "/" + file.name + "/";
      return [&](std::string_view part) { read.content += part; };
    });
    for (std::size_t at = 0; at < body.size(); at += piece) reader.read(body.substr(at, piece));
    reader.finish();
    read.fields = reader.fields();
  } catch (const unianimate::http::Refused&) {
    return std::nullopt;
  }
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const unianimate::http::FormLimits limits : {unianimate::http::FormLimits{}, {2, 3, 64}}) {
    const auto whole = read_in_pieces(body, body.size() + 1, limits);
    if (whole != read_in_pieces(body, data[0] % 16U + 1, limits)) __builtin_trap();
    if (!whole) continue;
    if (whole->content.size() > body.size() || whole->fields.size() > limits.fields) __builtin_trap();
    for (const auto& [name, text] : whole->fields) {
      if (name.size() + text.size() > limits.field_bytes) __builtin_trap();
    }
  }
  return 0;
}
