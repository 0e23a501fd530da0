// Zip directories that no honest writer makes.
#include <zlib.h>

#include "checkpoint_bytes.h"
#include "unianimate/checkpoint/zip_archive.h"

namespace unianimate::checkpoint {
namespace {

using testing::expect_refused;
using testing::packed;

std::string joined(std::initializer_list<std::string> parts) {
  std::string whole;
  for (const std::string& part : parts) whole += part;
  return whole;
}

/// One member of a zip file, with what its headers claim.
struct Member {
  std::string name;
  std::string content;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t size = 0xffffff;  // the content's own unless given
  std::string name_in_directory = {};
  std::int64_t begin = -1;  // the member's own unless given
};

struct Directory {
  std::uint32_t begin_offset = 0;  // added to where it is
  std::uint16_t members_added = 0;
};

std::string zip_file(const std::vector<Member>& members, const Directory& claims = {}) {
  std::string file;
  std::string directory;
  for (const Member& member : members) {
    const auto begin = static_cast<std::uint32_t>(member.begin < 0 ? file.size() : member.begin);
    const auto size = member.size == 0xffffff ? static_cast<std::uint32_t>(member.content.size()) : member.size;
    const auto crc = static_cast<std::uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(member.content.data()), member.content.size()));
    const std::string common = joined({packed(member.flags), packed(member.method), packed(std::uint32_t{0}),
                                       packed(crc), packed(size), packed(size)});
    const std::string& name = member.name_in_directory.empty() ? member.name : member.name_in_directory;
    file += joined({"PK\3\4", packed(std::uint16_t{20}), common, packed(static_cast<std::uint16_t>(member.name.size())),
                    packed(std::uint16_t{0}), member.name, member.content});
    directory += joined({"PK\1\2", packed(std::uint32_t{20}), common, packed(static_cast<std::uint16_t>(name.size())),
                         std::string(12, '\0'), packed(begin), name});
  }
  const auto count = static_cast<std::uint16_t>(members.size() + claims.members_added);
  const auto begin = static_cast<std::uint32_t>(file.size() + claims.begin_offset);
  return joined({file, directory, "PK\5\6", packed(std::uint32_t{0}), packed(count), packed(count),
                 packed(static_cast<std::uint32_t>(directory.size())), packed(begin), packed(std::uint16_t{0})});
}

constexpr std::string_view kEmptyDictionary = "\x80\x02}.";

TEST(ZipArchive, ReadsAPlainDirectory) {
  const CheckpointFile file("FILE", zip_file({{"a/data.pkl", std::string(kEmptyDictionary)}, {"a/data/0", "1234"}}));
  const ZipDirectory directory = read_zip_directory(file);
  ASSERT_EQ(directory.size(), 2);
  const ZipMember& member = directory.at("a/data/0");
  EXPECT_EQ(file.keep(member.begin, member.size), "1234");
}

TEST(ZipArchive, RefusesHostileMembers) {
  const Member pickle{"a/data.pkl", std::string(kEmptyDictionary)};
  expect_refused(zip_file({pickle, {"a/b", "12", 1}}), "encrypted");
  expect_refused(zip_file({pickle, {"a/b", "12", 0, 8}}), "compressed");
  expect_refused(zip_file({pickle, {"a/b", "12", 0, 0, 1000}}), "bytes are expected");
  expect_refused(zip_file({pickle, {"a/b", "12", 0, 0, 0xffffffff}}), "bytes are expected");
  expect_refused(zip_file({pickle, {"a/b", "12", 0, 0, 2, "a/c"}}), "another name");
  expect_refused(zip_file({pickle, {"a/b", "12", 0, 0, 2, "", 5000}}), "outside the file");
  expect_refused(zip_file({pickle, {"a/b", "12", 0, 0, 2, "", 3}}), "does not begin");
  expect_refused(zip_file({pickle, {"a/data.pkl", std::string(kEmptyDictionary)}}), "twice");
  const std::string inner = zip_file({{"a/b", "12"}});
  expect_refused(zip_file({pickle, {"a/c", inner}, {"a/b", "12", 0, 0, 2, "", 30 + 10 + 4 + 30 + 3}}), "overlap");
}

TEST(ZipArchive, RefusesHostileDirectories) {
  const Member pickle{"a/data.pkl", std::string(kEmptyDictionary)};
  expect_refused(zip_file({pickle}, {1000, 0}), "outside the file");
  expect_refused(zip_file({pickle}, {0xffff0000, 0}), "outside the file");
  expect_refused(zip_file({pickle}, {0, 1}), "bytes are expected");
  expect_refused(zip_file({{"data.pkl", std::string(kEmptyDictionary)}}), "no data.pkl");
  expect_refused(zip_file({{"a/b/data.pkl", std::string(kEmptyDictionary)}}), "no data.pkl");
  expect_refused(zip_file({pickle, {"a/byteorder", "big"}}), "big-endian");
}

TEST(ZipArchive, RefusesHostileZip64Directories) {
  const std::string whole = testing::read_file(testing::golden_checkpoint("plain_zip.pth"));
  const std::size_t end = whole.rfind("PK\6\6");
  const std::size_t locator = whole.rfind("PK\6\7");
  const auto patched = [&](std::size_t position, std::uint64_t value) {
    std::string bytes = whole;
    bytes.replace(position, sizeof(value), packed(value));
    return bytes;
  };
  for (const std::uint64_t value : {std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    expect_refused(patched(locator + 8, value), "the zip64 directory lies outside the file");
    expect_refused(patched(end + 32, value), "bytes are expected");                       // members
    expect_refused(patched(end + 40, value), "the zip directory lies outside the file");  // size
    expect_refused(patched(end + 48, value), "the zip directory lies outside the file");  // begin
  }
  expect_refused(patched(locator + 8, 0), "not where the file says");
}

}  // namespace
}  // namespace unianimate::checkpoint
