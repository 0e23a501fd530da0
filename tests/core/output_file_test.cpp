#include "unianimate/core/output_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"

namespace unianimate {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(OutputPath, WithoutCommitTheOldFileStaysAndNothingIsLeft) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "a.txt", "old");
  {
    const OutputPath output(folder / "a.txt");
    std::ofstream(output.temporary()) << "new";
  }
  EXPECT_EQ(read(folder / "a.txt"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(OutputPath, CommitReplaces) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "a.txt", "old");
  write_file_atomically(folder / "a.txt", "new");
  EXPECT_EQ(read(folder / "a.txt"), "new");
}

TEST(OutputPath, KeepsTheSuffixThatTellsTheFormat) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(OutputPath(folder / "clip.mp4").temporary().extension(), ".mp4");
}

TEST(OutputPath, RefusesAMissingFolder) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(OutputPath(folder / "none/a.txt"), Error);
}

}  // namespace
}  // namespace unianimate
