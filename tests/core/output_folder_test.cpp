#include "unianimate/core/output_folder.h"
#include "support/file_content.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <set>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/core/written_mark.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

Names listing(const fs::path& folder) {
  Names names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

bool is_earlier(const fs::path& path) {
  return path.extension() == ".txt" && path.stem().string().size() == 1;
}

void write_output(const fs::path& folder, const std::string& content, int count) {
  OutputFolder output(folder, is_earlier);
  for (int i = 0; i < count; ++i) std::ofstream(output.temporary() / (std::to_string(i) + ".txt")) << content;
  output.commit();
}

TEST(OutputFolder, ReplacesTheFilesOfAnEarlierOne) {
  const testing::TemporaryFolder place;
  write_output(place / "f", "old", 3);
  write_output(place.path() / "f/", "new", 2);
  EXPECT_EQ(listing(place / "f"), (Names{"0.txt", "1.txt"}));
  EXPECT_EQ(testing::file_content(place / "f/1.txt"), "new");
  EXPECT_EQ(listing(place.path()), Names{"f"});
}

TEST(OutputFolder, ExchangesAllAtOnceWhereNothingElseIsThere) {
  const testing::TemporaryFolder place;
  write_output(place / "f", "old", 3);
  OutputFolder output(place / "f", is_earlier);
  EXPECT_EQ(output.temporary().parent_path(), place.path());
}

TEST(OutputFolder, LeavesOtherFilesWhereTheyAre) {
  const testing::TemporaryFolder place;
  write_output(place / "f", "old", 3);
  std::ofstream(place / "f/notes.txt") << "mine";
  fs::create_directory(place / "f/inner");
  write_output(place / "f", "new", 2);
  EXPECT_EQ(listing(place / "f"), (Names{"0.txt", "1.txt", "notes.txt", "inner"}));
  EXPECT_EQ(testing::file_content(place / "f/0.txt"), "new");
  EXPECT_EQ(testing::file_content(place / "f/notes.txt"), "mine");
  EXPECT_EQ(listing(place.path()), Names{"f"});
}

TEST(OutputFolder, LeavesOtherFilesThatComeMeanwhile) {
  const testing::TemporaryFolder place;
  write_output(place / "f", "old", 3);
  OutputFolder output(place / "f", is_earlier);
  std::ofstream(output.temporary() / "0.txt") << "new";
  std::ofstream(place / "f/notes.txt") << "mine";
  output.commit();
  EXPECT_EQ(listing(place / "f"), (Names{"0.txt", "notes.txt"}));
  EXPECT_EQ(testing::file_content(place / "f/0.txt"), "new");
}

TEST(OutputFolder, FollowsALinkToAFolder) {
  const testing::TemporaryFolder place;
  write_output(place / "real", "old", 3);
  fs::create_directory_symlink("real", place / "link");
  write_output(place / "link", "new", 1);
  EXPECT_TRUE(fs::is_symlink(place / "link"));
  EXPECT_EQ(listing(place / "real"), Names{"0.txt"});
  EXPECT_EQ(testing::file_content(place / "real/0.txt"), "new");
}

/// Between its steps: what stays says that it is unfinished, and the next one cleans up.
TEST(OutputFolder, SaysThatItIsUnfinishedAfterAKill) {
  const testing::TemporaryFolder place;
  write_output(place / "f", "old", 3);
  std::ofstream(place / "f/notes.txt") << "mine";
  const pid_t child = ::fork();
  if (child == 0) {
    // It is stopped as soon as the folder has changed.
    OutputFolder output(place / "f", [&](const fs::path& path) {
      if (fs::exists(place / "f/UNFINISHED.txt")) ::_exit(0);
      return is_earlier(path);
    });
    std::ofstream(output.temporary() / "0.txt") << "new";
    output.commit();
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "the child was not stopped on the way";
  EXPECT_EQ(written_mark(place / "f/UNFINISHED.txt"), kUnfinishedMark);
  write_output(place / "f", "newer", 2);
  EXPECT_EQ(listing(place / "f"), (Names{"0.txt", "1.txt", "notes.txt"}));
  EXPECT_EQ(testing::file_content(place / "f/0.txt"), "newer");
}

TEST(OutputFolder, WithoutCommitNothingChanges) {
  const testing::TemporaryFolder place;
  write_output(place / "f", "old", 1);
  for (const bool with_notes : {false, true}) {
    if (with_notes) std::ofstream(place / "f/notes.txt") << "mine";
    const OutputFolder output(place / "f", is_earlier);
    std::ofstream(output.temporary() / "0.txt") << "new";
  }
  EXPECT_EQ(listing(place / "f"), (Names{"0.txt", "notes.txt"}));
  EXPECT_EQ(testing::file_content(place / "f/0.txt"), "old");
  EXPECT_EQ(listing(place.path()), Names{"f"});
}

}  // namespace
}  // namespace unianimate
