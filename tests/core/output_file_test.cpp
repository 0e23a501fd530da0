#include "unianimate/core/output_file.h"
#include "support/file_content.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"

namespace unianimate {
namespace {

std::ptrdiff_t count(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

TEST(OutputPath, WithoutCommitTheOldFileStaysAndNothingIsLeft) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "a.txt", "old");
  {
    const OutputPath output(folder / "a.txt");
    std::ofstream(output.temporary()) << "new";
  }
  EXPECT_EQ(testing::file_content(folder / "a.txt"), "old");
  EXPECT_EQ(count(folder.path()), 1);
}

TEST(OutputPath, CommitReplaces) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "a.txt", "old");
  write_file_atomically(folder / "a.txt", "new");
  EXPECT_EQ(testing::file_content(folder / "a.txt"), "new");
}

TEST(OutputPath, KeepsTheSuffixThatTellsTheFormat) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(OutputPath(folder / "clip.mp4").temporary().extension(), ".mp4");
}

/// What a process leaves that is killed while it writes.
void leave_behind(const std::filesystem::path& path, OutputKind kind) {
  const pid_t child = ::fork();
  if (child == 0) {
    const OutputPath output(path, kind);
    std::ofstream(kind == OutputKind::kFile ? output.temporary() : output.temporary() / "0.txt") << "half";
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
}

TEST(OutputPath, RemovesWhatDeadProcessesLeft) {
  for (const OutputKind kind : {OutputKind::kFile, OutputKind::kFolder}) {
    const testing::TemporaryFolder folder;
    for (int i = 0; i < 3; ++i) leave_behind(folder / "a.txt", kind);
    leave_behind(folder / "b.txt", kind);
    EXPECT_EQ(count(folder.path()), 2) << "one of each name";
    { const OutputPath output(folder / "a.txt", kind); }
    EXPECT_EQ(count(folder.path()), 1) << "that of the other name";
  }
}

TEST(OutputPath, LeavesWhatLivingProcessesWrite) {
  for (const OutputKind kind : {OutputKind::kFile, OutputKind::kFolder}) {
    const testing::TemporaryFolder folder;
    const OutputPath first(folder / "a.txt", kind);
    const OutputPath second(folder / "a.txt", kind);
    EXPECT_NE(first.temporary(), second.temporary());
    EXPECT_TRUE(std::filesystem::exists(first.temporary()));
    EXPECT_TRUE(std::filesystem::exists(second.temporary()));
  }
}

TEST(OutputPath, RemovesNothingButItsOwnNames) {
  const testing::TemporaryFolder folder;
  for (const char* name : {".a.partial.txt", ".a.12x.partial.txt", "a.12.partial.txt", ".a.12.partial.mp4",
                           ".a.b.12.partial.txt", ".a.12.partial.txt.bak"}) {
    std::ofstream(folder / name) << "mine";
  }
  std::filesystem::create_symlink("a.12.partial.txt", folder / ".a.77.partial.txt");
  write_file_atomically(folder / "a.txt", "new");
  EXPECT_EQ(count(folder.path()), 8);
}

TEST(OutputPath, NamesMayBeAsLongAsTheFileSystemAllows) {
  const testing::TemporaryFolder folder;
  for (const std::string& name :
       {std::string(251, 'n') + ".txt", std::string(255, 'n'), "a." + std::string(253, 'x')}) {
    write_file_atomically(folder / name, "new");
    EXPECT_EQ(testing::file_content(folder / name), "new");
    leave_behind(folder / name, OutputKind::kFile);
    write_file_atomically(folder / name, "newer");
  }
  EXPECT_EQ(count(folder.path()), 3);
  try {
    write_file_atomically(folder / std::string(256, 'n'), "new");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("256 bytes"), std::string::npos) << error.what();
  }
}

TEST(OutputPath, OfAFolderReplacesAFolder) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "f");
  std::ofstream(folder / "f/old.txt") << "old";
  OutputPath output(folder / "f", OutputKind::kFolder);
  std::ofstream(output.temporary() / "new.txt") << "new";
  output.commit();
  EXPECT_EQ(testing::file_content(folder / "f/new.txt"), "new");
  EXPECT_EQ(count(folder / "f"), 1);
  EXPECT_EQ(count(folder.path()), 1);
}

TEST(FinishedName, IsReadFromTemporaryOnes) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"state.json", "segment-0-part-1.mkv", "frames", "a.b.txt"}) {
    const OutputPath output(folder / name);
    EXPECT_EQ(finished_name(output.temporary().filename().string()), name);
  }
  for (const char* name : {"a.txt", ".a.txt", ".a.partial.txt", "a.1.partial.txt", ".a.x.partial.txt", ".1.partial",
                           ".partial", "..1.partial"}) {
    EXPECT_EQ(finished_name(name), std::nullopt) << name;
  }
}

TEST(OutputPath, RefusesAMissingFolder) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(OutputPath(folder / "none/a.txt"), Error);
}

}  // namespace
}  // namespace unianimate
