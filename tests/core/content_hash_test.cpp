#include "unianimate/core/content_hash.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

/// The values are those that the program xxh128sum prints.
TEST(ContentHash, IsXxh3WithItsName) {
  const TemporaryFolder place;
  write_file(place / "a", "");
  EXPECT_EQ(content_hash(place / "a"), "xxh3-99aa06d3014798d86001c324468d497f");
  write_file(place / "b", "hello");
  EXPECT_EQ(content_hash(place / "b"), content_hash_of("hello"));
  EXPECT_EQ(content_hash_of("hello"), "xxh3-b5e9c1ad071b3e7fc779cfaa5e523818");
}

TEST(ContentHash, TellsContentsApartAndNotNames) {
  const TemporaryFolder place;
  write_file(place / "a.mp4", "motion");
  write_file(place / "b.gif", "motion");
  write_file(place / "c.mp4", "Motion");
  EXPECT_EQ(content_hash(place / "a.mp4"), content_hash(place / "b.gif"));
  EXPECT_NE(content_hash(place / "a.mp4"), content_hash(place / "c.mp4"));
  write_file(place / "c.mp4", "motion");
  EXPECT_EQ(content_hash(place / "a.mp4"), content_hash(place / "c.mp4"));
}

TEST(ContentHash, ReadsLargeFilesToTheirEnd) {
  const TemporaryFolder place;
  constexpr std::size_t kBytes = (std::size_t{5} << 19) + 13;
  std::string bytes(kBytes, '\0');
  std::mt19937 generator(1);
  for (char& byte : bytes) byte = static_cast<char>(generator());
  write_file(place / "a", bytes);
  const std::string whole = content_hash(place / "a");
  for (const std::size_t changed : {std::size_t{0}, std::size_t{1} << 20, kBytes - 1}) {
    std::string other = bytes;
    other[changed] = static_cast<char>(other[changed] ^ 1);
    write_file(place / "a", other);
    EXPECT_NE(content_hash(place / "a"), whole) << changed;
  }
  bytes.pop_back();
  write_file(place / "a", bytes);
  EXPECT_NE(content_hash(place / "a"), whole);
}

TEST(ContentHash, OfAFolderIsOfNamesAndBytes) {
  const TemporaryFolder place;
  const auto folder = [&](const std::string& name, const std::vector<std::pair<std::string, std::string>>& files) {
    fs::create_directory(place / name);
    for (const auto& [file, content] : files) write_file(place / name / file, content);
    return content_hash(place / name);
  };
  const std::string hash = folder("a", {{"1.jpg", "one"}, {"2.jpg", "two"}});
  EXPECT_EQ(folder("b", {{"2.jpg", "two"}, {"1.jpg", "one"}}), hash) << "whatever the order in which they were made";
  EXPECT_NE(folder("c", {{"1.jpg", "two"}, {"2.jpg", "one"}}), hash);
  EXPECT_NE(folder("d", {{"1.jpg", "one"}, {"3.jpg", "two"}}), hash);
  EXPECT_NE(folder("e", {{"1.jpg", "one"}}), hash);
  EXPECT_NE(folder("f", {{"1.jpg", "onetw"}, {"2.jpg", "o"}}), hash);
  EXPECT_NE(folder("g", {{"1.jpg", std::string("one2.jpg\0two", 12)}}), hash);
  const std::string empty = folder("h", {});
  EXPECT_NE(empty, hash);
  EXPECT_EQ(folder("i", {}), empty);
}

TEST(ContentHash, RefusesWhatIsNotThere) {
  const TemporaryFolder place;
  std::string message;
  try {
    static_cast<void>(content_hash(place / "missing.mp4"));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    message = error.what();
  }
  EXPECT_NE(message.find("missing.mp4"), std::string::npos) << message;
}

}  // namespace
}  // namespace unianimate
