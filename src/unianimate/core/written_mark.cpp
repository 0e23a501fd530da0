#include "unianimate/core/written_mark.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>

namespace unianimate {

namespace fs = std::filesystem;

namespace {

using namespace std::string_view_literals;

/// Marks are far shorter.
constexpr std::size_t kLongestMark = 64;

/// Bytes of a file from `offset` on, fewer where it ends earlier.
std::string read_bytes(std::istream& file, std::uint64_t offset, std::size_t count) {
  std::string bytes(count, '\0');
  file.clear();
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return bytes;
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

/// `text` where it is a mark.
std::string mark_or_nothing(std::string_view text) {
  return text.starts_with(kMark) && text.size() <= kLongestMark ? std::string(text) : "";
}

// PNG 3rd edition, 5.3 and 11.3.3.2: the chunk behind the header is the text "Software".
std::string mark_of_png(std::istream& file) {
  constexpr std::uint64_t kHeaderBytes = 8 + 25;
  constexpr std::size_t kLengthBytes = 4;
  constexpr std::string_view kTypeAndKeyword = "tEXtSoftware\0"sv;
  constexpr std::size_t kTypeBytes = 4;
  const std::string chunk = read_bytes(file, kHeaderBytes, kLengthBytes + kTypeAndKeyword.size() + kLongestMark);
  const std::string_view text(chunk);
  if (text.size() < kLengthBytes || text.substr(kLengthBytes, kTypeAndKeyword.size()) != kTypeAndKeyword) return "";
  const std::uint64_t length = big_endian(text.substr(0, kLengthBytes)) + kTypeBytes;
  if (length < kTypeAndKeyword.size() || length - kTypeAndKeyword.size() > kLongestMark) return "";
  return mark_or_nothing(
      text.substr(kLengthBytes + kTypeAndKeyword.size(), static_cast<std::size_t>(length) - kTypeAndKeyword.size()));
}

// JFIF 1.02: start of image and application segment, behind which the comment stands: marker, length, text.
std::string mark_of_jpeg(std::istream& file) {
  constexpr std::uint64_t kHeaderBytes = 2 + 18;
  constexpr std::size_t kMarkerBytes = 2;
  constexpr std::size_t kLengthBytes = 2;
  const std::string segment = read_bytes(file, kHeaderBytes, kMarkerBytes + kLengthBytes + kLongestMark);
  const std::string_view text(segment);
  if (!text.starts_with("\xFF\xFE"sv) || text.size() < kMarkerBytes + kLengthBytes) return "";
  const std::uint64_t length = big_endian(text.substr(kMarkerBytes, kLengthBytes));
  if (length < kLengthBytes) return "";
  return mark_or_nothing(text.substr(kMarkerBytes + kLengthBytes, static_cast<std::size_t>(length) - kLengthBytes));
}

struct Box {
  std::uint64_t begin = 0;  ///< of what it holds
  std::uint64_t end = 0;
};

/// ISO/IEC 14496-12, 4.2: the first box of this type between `begin` and `end`.
std::optional<Box> find_box(std::istream& file, std::string_view type, std::uint64_t begin, std::uint64_t end) {
  constexpr std::size_t kSizeBytes = 4;
  constexpr std::size_t kHeaderBytes = 8;
  constexpr int kMostBoxes = 64;
  for (int i = 0; i < kMostBoxes && begin < end; ++i) {
    const std::string header = read_bytes(file, begin, kHeaderBytes);
    if (header.size() < kHeaderBytes) return std::nullopt;
    const std::uint64_t size = big_endian(std::string_view(header).substr(0, kSizeBytes));
    // This program's files have no longer ones before their index.
    if (size < kHeaderBytes) return std::nullopt;
    if (std::string_view(header).substr(kSizeBytes) == type) return Box{begin + kHeaderBytes, begin + size};
    begin += size;
  }
  return std::nullopt;
}

// The comment in the user data of the movie, as iTunes writes it.
std::string mark_of_mp4(std::istream& file) {
  std::optional<Box> box = find_box(file, "moov", 0, UINT64_MAX);
  if (box) box = find_box(file, "udta", box->begin, box->end);
  if (!box) return "";
  constexpr std::uint64_t kMostBytes = 4096;
  const std::string data =
      read_bytes(file, box->begin, static_cast<std::size_t>(std::min(box->end - box->begin, kMostBytes)));
  const std::size_t comment = data.find("\251cmt");
  if (comment == std::string::npos) return "";
  // Name; then size, "data", type and language before the text.
  constexpr std::size_t kNameBytes = 4;
  constexpr std::size_t kSizeBytes = 4;
  constexpr std::size_t kBeforeText = 16;
  const std::string_view rest = std::string_view(data).substr(comment + kNameBytes);
  if (rest.size() < kBeforeText) return "";
  const std::uint64_t size = big_endian(rest.substr(0, kSizeBytes));
  if (size < kBeforeText || size > rest.size()) return "";
  return mark_or_nothing(rest.substr(kBeforeText, static_cast<std::size_t>(size) - kBeforeText));
}

// RFC 9559, 5.1.8: the tag COMMENT, which stands before the frames.
std::string mark_of_matroska(std::istream& file) {
  constexpr std::size_t kMostBytes = std::size_t{64} << 10;
  constexpr std::string_view kName = "COMMENT\x44\x87"sv;
  constexpr unsigned kOneByteSize = 0x80;
  const std::string data = read_bytes(file, 0, kMostBytes);
  const std::size_t name = data.find(kName);
  if (name == std::string::npos || name + kName.size() >= data.size()) return "";
  const auto size = static_cast<unsigned char>(data[name + kName.size()]);
  if (size < kOneByteSize) return "";
  return mark_or_nothing(std::string_view(data).substr(name + kName.size() + 1, size - kOneByteSize));
}

// GIF89a, 24: a comment before the trailer.
std::string mark_of_gif(std::istream& file) {
  constexpr std::string_view kExtension = "\x21\xFE"sv;
  constexpr std::string_view kEnd = "\0;"sv;
  constexpr std::uint64_t kMostBytes = kLongestMark + 8;
  file.seekg(0, std::ios::end);
  const auto size = static_cast<std::uint64_t>(std::max<std::streamoff>(file.tellg(), 0));
  const std::string data = read_bytes(file, size - std::min(size, kMostBytes), kMostBytes);
  const std::string_view text(data);
  const std::size_t begin = text.rfind(kExtension);
  if (begin == std::string_view::npos || !text.ends_with(kEnd)) return "";
  const std::string_view block = text.substr(begin + kExtension.size());
  const std::string_view comment = block.substr(1, block.size() - 1 - std::min(block.size() - 1, kEnd.size()));
  return static_cast<unsigned char>(block.front()) == comment.size() ? mark_or_nothing(comment) : "";
}

/// Where the beginning alone says it.
std::string mark_of_beginning(std::istream& /*file*/) {
  return std::string(kMark);
}

std::string mark_of_trace(std::istream& /*file*/) {
  return std::string(kTraceMark);
}

std::string mark_of_first_line(std::istream& file) {
  const std::string text = read_bytes(file, 0, kLongestMark);
  return mark_or_nothing(std::string_view(text).substr(0, text.find('\n')));
}

struct Format {
  std::size_t offset;
  std::string_view signature;
  std::string (*mark)(std::istream& file);
};

constexpr Format kFormats[] = {
    {0, "\x89PNG\r\n\x1A\n"sv, mark_of_png},
    {0, "\xFF\xD8\xFF\xE0"sv, mark_of_jpeg},
    {4, "ftyp"sv, mark_of_mp4},
    {0, "\x1A\x45\xDF\xA3"sv, mark_of_matroska},
    {0, "GIF89a"sv, mark_of_gif},
    {8, R"({"__metadata__":{"written_by":"unianimate")"sv, mark_of_beginning},
    {0, R"({"format":"unianimate-)"sv, mark_of_beginning},
    {0, R"({"version":1.3,"generator":"unianimate",)"sv, mark_of_beginning},
    {0, "{\n  \"generator\": \"unianimate\","sv, mark_of_beginning},
    {0, R"({"generator": "unianimate trace",)"sv, mark_of_trace},
    {0, kMarkdownMark, mark_of_beginning},
    {0, "unianimate unfinished\n"sv, mark_of_first_line},
};

}  // namespace

std::string written_mark(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return "";
  std::ifstream stream(file, std::ios::binary);
  for (const Format& format : kFormats) {
    if (read_bytes(stream, format.offset, format.signature.size()) == format.signature) return format.mark(stream);
  }
  return "";
}

bool is_own_file(const fs::path& file) {
  return !written_mark(file).empty();
}

}  // namespace unianimate
