#include "unianimate/core/path_hint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_folder.h"

namespace unianimate {
namespace {

using ::testing::HasSubstr;

TEST(PathHint, SaysWhatAPathLooksLike) {
  EXPECT_THAT(path_hint("file:///home/me/person.png"), HasSubstr("a path is expected: /home/me/person.png"));
  EXPECT_THAT(path_hint("https://example.org/person.png"), HasSubstr("nothing is fetched from the network"));
  EXPECT_THAT(path_hint("~/person.png"), HasSubstr("write the home folder out"));
  EXPECT_THAT(path_hint("configs/~/person.png"), HasSubstr("write the home folder out"));
  EXPECT_THAT(path_hint("'person.png'"), HasSubstr("quotation marks"));
  EXPECT_THAT(path_hint("\"my person.png\""), HasSubstr("quotation marks"));
  EXPECT_THAT(path_hint("C:\\pictures\\person.png"), HasSubstr("separated by '/'"));
  EXPECT_EQ(path_hint("person.png"), "");
  EXPECT_EQ(path_hint(""), "");
}

TEST(PathHint, NamesWhatIsThereInstead) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "poses");
  std::ofstream(folder / "poses/a.png") << "a";
  const std::string there = (folder / "poses/a.png").string();
  EXPECT_EQ(path_hint(there + " "), "; " + there + " is there: leave out the spaces around it");
  EXPECT_THAT(path_hint(folder.path().string() + "\\poses\\a.png"), HasSubstr(": " + there));
  EXPECT_EQ(path_hint((folder / "other.png ").string()), "");
}

TEST(PathHint, CountsTheBytesOfLongNames) {
  EXPECT_EQ(path_hint("poses/" + std::string(255, 'a')), "");
  EXPECT_THAT(path_hint("poses/" + std::string(256, 'a') + "/b"),
              HasSubstr("255 bytes at most, and one in it has 256"));
}

}  // namespace
}  // namespace unianimate
