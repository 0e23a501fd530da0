#include "unianimate/checkpoint/zip_archive.h"

#include <algorithm>
#include <vector>

#include "unianimate/checkpoint/byte_reader.h"

// Structures after PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3.

namespace unianimate::checkpoint {

namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kZip64End = 0x06064b50;
constexpr std::string_view kEndSignature = "PK\5\6";
constexpr std::string_view kZip64LocatorSignature = "PK\6\7";
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kZip64LocatorSize = 20;
constexpr std::size_t kLongestComment = 0xffff;
/// Within so many bytes of the end lie the end record, a comment, and before them the zip64 locator.
constexpr std::size_t kLongestEnd = kZip64LocatorSize + kEndSize + kLongestComment;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint32_t kInZip64Extra = 0xffffffff;

struct DirectoryPlace {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  std::uint64_t members = 0;
  std::size_t end_record = 0;  // where what follows the directory begins
};

struct Header {
  std::string_view name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t stored_size = 0;
  std::uint64_t size = 0;
  std::uint64_t local_header = 0;
};

DirectoryPlace find_directory(const CheckpointFile& file) {
  const std::size_t tail = file.size() - std::min(file.size(), kLongestEnd);
  const std::string_view bytes = file.keep(tail, file.size() - tail);
  const std::size_t found = bytes.rfind(kEndSignature);
  if (found == std::string_view::npos) {
    throw file.refusal("the zip directory at the end is missing, so the file is cut short; fetch it again");
  }
  DirectoryPlace place;
  place.end_record = tail + found;
  ByteReader end(file, place.end_record, file.size(), "the end of the zip directory");
  end.skip(10);
  place.members = end.number<std::uint16_t>();
  place.size = end.number<std::uint32_t>();
  place.begin = end.number<std::uint32_t>();
  const auto comment_size = end.number<std::uint16_t>();
  end.skip(comment_size);

  if (found < kZip64LocatorSize) return place;
  const std::size_t locator = place.end_record - kZip64LocatorSize;
  if (!bytes.substr(locator - tail).starts_with(kZip64LocatorSignature)) return place;
  ByteReader locator_reader(file, locator + 8, place.end_record, "the zip64 locator");
  const auto zip64_end = locator_reader.number<std::uint64_t>();
  if (zip64_end > locator) throw file.refusal("the zip64 directory lies outside the file; the file is damaged");
  ByteReader zip64(file, zip64_end, locator, "the zip64 directory's end");
  if (zip64.number<std::uint32_t>() != kZip64End) {
    throw file.refusal("the zip64 directory is not where the file says; the file is damaged");
  }
  zip64.skip(28);
  place.members = zip64.number<std::uint64_t>();
  place.size = zip64.number<std::uint64_t>();
  place.begin = zip64.number<std::uint64_t>();
  place.end_record = zip64_end;
  return place;
}

/// Replaces the sizes and the offset that do not fit in 32 bits by those of the zip64 extra field.
void apply_zip64_extra(ByteReader extra, Header& header) {
  while (extra.remaining() >= 4) {
    const auto id = extra.number<std::uint16_t>();
    const std::size_t size = extra.number<std::uint16_t>();
    const std::size_t begin = extra.position();
    extra.skip(size);
    if (id != kZip64Extra) continue;
    ByteReader field(extra.file(), begin, begin + size, "a zip64 field");
    if (header.size == kInZip64Extra) header.size = field.number<std::uint64_t>();
    if (header.stored_size == kInZip64Extra) header.stored_size = field.number<std::uint64_t>();
    if (header.local_header == kInZip64Extra) header.local_header = field.number<std::uint64_t>();
    return;
  }
}

Header read_central_header(ByteReader& directory) {
  const CheckpointFile& file = directory.file();
  if (directory.number<std::uint32_t>() != kCentralHeader) {
    throw file.refusal("the zip directory is damaged at byte {}; fetch the file again", directory.position() - 4);
  }
  Header header;
  directory.skip(4);
  header.flags = directory.number<std::uint16_t>();
  header.method = directory.number<std::uint16_t>();
  directory.skip(4);
  header.crc32 = directory.number<std::uint32_t>();
  header.stored_size = directory.number<std::uint32_t>();
  header.size = directory.number<std::uint32_t>();
  const auto name_size = directory.number<std::uint16_t>();
  const std::size_t extra_size = directory.number<std::uint16_t>();
  const auto comment_size = directory.number<std::uint16_t>();
  directory.skip(8);
  header.local_header = directory.number<std::uint32_t>();
  header.name = directory.take(name_size);
  const std::size_t extra = directory.position();
  directory.skip(extra_size);
  apply_zip64_extra(ByteReader(file, extra, extra + extra_size, "a zip extra field"), header);
  directory.skip(comment_size);
  return header;
}

/// `limit`: the members end before this byte.
ZipMember locate(const CheckpointFile& file, const Header& header, std::size_t limit) {
  if ((header.flags & 1U) != 0) throw file.refusal("member '{}' is encrypted", printable(header.name));
  if (header.method != 0 || header.stored_size != header.size) {
    throw file.refusal(
        "member '{}' is compressed, and checkpoints hold theirs uncompressed; unpack and zip it again "
        "with 'zip -0'",
        printable(header.name));
  }
  if (header.local_header > limit) {
    throw file.refusal("member '{}' lies outside the file; the file is damaged", printable(header.name));
  }
  ByteReader local(file, header.local_header, limit, "a zip member's header");
  if (local.number<std::uint32_t>() != kLocalHeader) {
    throw file.refusal("member '{}' does not begin where the zip directory says; the file is damaged",
                       printable(header.name));
  }
  local.skip(22);
  const auto name_size = local.number<std::uint16_t>();
  const auto extra_size = local.number<std::uint16_t>();
  if (local.take(name_size) != header.name) {
    throw file.refusal("member '{}' has another name in its own header; the file is damaged", printable(header.name));
  }
  local.skip(extra_size);
  const std::size_t begin = local.position();
  local.skip(header.size);
  return {begin, header.size, header.crc32};
}

struct MemberExtent {
  std::size_t begin;  // of the local header
  std::size_t end;
};

void refuse_overlaps(const CheckpointFile& file, std::vector<MemberExtent> extents) {
  std::ranges::sort(extents, {}, &MemberExtent::begin);
  for (std::size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].begin < extents[i - 1].end) {
      throw file.refusal("two zip members overlap at byte {}; the file is hostile or damaged", extents[i].begin);
    }
  }
}

}  // namespace

ZipDirectory read_zip_directory(const CheckpointFile& file) {
  const DirectoryPlace place = find_directory(file);
  if (place.begin > place.end_record || place.size > place.end_record - place.begin) {
    throw file.refusal("the zip directory lies outside the file, so the file is cut short or damaged; fetch it again");
  }
  ByteReader reader(file, place.begin, place.begin + place.size, "the zip directory");
  ZipDirectory directory;
  std::vector<MemberExtent> extents;
  for (std::uint64_t i = 0; i < place.members; ++i) {
    const Header header = read_central_header(reader);
    const ZipMember member = locate(file, header, place.begin);
    extents.push_back({header.local_header, member.begin + member.size});
    if (!directory.emplace(header.name, member).second) {
      throw file.refusal("the zip directory names '{}' twice; the file is hostile or damaged", printable(header.name));
    }
  }
  refuse_overlaps(file, std::move(extents));
  return directory;
}

}  // namespace unianimate::checkpoint
