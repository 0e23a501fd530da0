#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "media/test_images.h"
#include "support/temporary_folder.h"
#include "unianimate/core/written_mark.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/media/pictures/png_sequence.h"

namespace unianimate {
namespace {

using Names = std::set<std::string>;
using testing::listing;

std::unique_ptr<FrameSink> write_frames(const std::filesystem::path& path, int count) {
  auto sink = open_video_writer(path, {.width = 6, .height = 4});
  for (int i = 0; i < count; ++i) sink->write(testing::noise(6, 4, static_cast<std::uint32_t>(i)));
  return sink;
}

TEST(PngSequence, MakesTheFolderOnFinish) {
  const testing::TemporaryFolder folder;
  const auto sink = write_frames(folder.path() / "frames/", 3);
  EXPECT_FALSE(std::filesystem::exists(folder / "frames"));
  sink->finish();
  EXPECT_EQ(listing(folder.path()), Names{"frames"});
  EXPECT_EQ(listing(folder / "frames"), (Names{"0000.png", "0001.png", "0002.png"}));
  EXPECT_EQ(read_image(folder / "frames/0002.png"), testing::noise(6, 4, 2));
}

TEST(PngSequence, ReplacesALongerOneAndNothingElse) {
  const testing::TemporaryFolder folder;
  write_frames(folder.path() / "frames/", 5)->finish();
  for (const char* kept : {"notes.txt", "4.png", "0004.jpg", "frame0004.png", "004.png"}) {
    testing::write_file(folder / "frames" / kept, "mine");
  }
  std::filesystem::copy(folder / "frames/0003.png", folder / "frames/12345.png");
  write_frames(folder / "frames", 2)->finish();
  EXPECT_EQ(listing(folder / "frames"),
            (Names{"0000.png", "0001.png", "notes.txt", "4.png", "0004.jpg", "frame0004.png", "004.png"}));
}

TEST(PngSequence, ALongOneGetsNamesOfOneLength) {
  constexpr std::size_t kFrames = 10'001;
  const testing::TemporaryFolder folder;
  for (std::size_t i = 0; i < kFrames; ++i) std::ofstream(folder / fmt::format("{:04}.png", i)) << i;
  give_equal_lengths(folder.path(), kFrames - 1);
  EXPECT_EQ(*listing(folder.path()).begin(), "0000.png");
  give_equal_lengths(folder.path(), kFrames);
  const Names names = listing(folder.path());
  ASSERT_EQ(names.size(), kFrames);
  std::size_t frame = 0;
  for (const std::string& name : names) EXPECT_EQ(testing::file_content(folder / name), std::to_string(frame++));
}

TEST(PngSequence, WithoutFinishNothingChanges) {
  const testing::TemporaryFolder folder;
  write_frames(folder.path() / "new/", 2).reset();
  EXPECT_EQ(listing(folder.path()), Names{});
  std::filesystem::create_directory(folder / "old");
  write_frames(folder / "old", 1)->finish();
  const std::string before = testing::file_content(folder / "old/0000.png");
  write_frames(folder / "old", 2).reset();
  EXPECT_EQ(listing(folder / "old"), Names{"0000.png"});
  EXPECT_EQ(testing::file_content(folder / "old/0000.png"), before);
}

std::filesystem::path leftover(const std::filesystem::path& folder) {
  return folder / (".frames." + std::to_string(::getpid()) + ".partial");
}

TEST(PngSequence, PicturesOfOthersAreRefused) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "poses");
  write_png(folder / "poses/0007.png", testing::noise(6, 4, 1));
  for (const auto& open :
       std::vector<std::function<void()>>{[&] { check_output(folder / "poses", {.width = 6, .height = 4}); },
                                          [&] { write_frames(folder / "poses", 2); }}) {
    EXPECT_THAT(testing::error_of(ErrorKind::kUsage, open), ::testing::HasSubstr("holds 0007.png"));
  }
  EXPECT_EQ(listing(folder / "poses"), Names{"0007.png"});
  std::filesystem::create_directory(folder / "long");
  write_png(folder / "long/00007.png", testing::noise(6, 4, 1));
  EXPECT_THROW(check_output(folder / "long", {.width = 6, .height = 4}), Error);
  EXPECT_EQ(read_image(folder / "poses/0007.png"), testing::noise(6, 4, 1));
}

TEST(PngSequence, PicturesThatCameMeanwhileAreKept) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "frames");
  const auto sink = write_frames(folder / "frames", 2);
  testing::write_file(folder / "frames/0001.png", "mine");
  EXPECT_THROW(sink->finish(), Error);
  EXPECT_EQ(testing::file_content(folder / "frames/0001.png"), "mine");
}

TEST(PngSequence, AnEndedProcessLeavesNoFrames) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directory(leftover(folder.path()));
  testing::write_file(leftover(folder.path()) / "0005.png", "stale");
  write_frames(folder.path() / "frames/", 2)->finish();
  EXPECT_EQ(listing(folder / "frames"), (Names{"0000.png", "0001.png"}));
  EXPECT_EQ(listing(folder.path()), Names{"frames"});
}

/// All at once where the folder holds nothing else: the frames of two videos are never seen together.
TEST(PngSequence, ReplacesAnEarlierVideoAsAWhole) {
  const testing::TemporaryFolder folder;
  write_frames(folder.path() / "frames/", 3)->finish();
  struct stat before {};
  ASSERT_EQ(::stat((folder / "frames").c_str(), &before), 0);
  write_frames(folder / "frames", 2)->finish();
  struct stat after {};
  ASSERT_EQ(::stat((folder / "frames").c_str(), &after), 0);
  EXPECT_NE(before.st_ino, after.st_ino);
  EXPECT_EQ(listing(folder / "frames"), (Names{"0000.png", "0001.png"}));
  EXPECT_EQ(listing(folder.path()), Names{"frames"});
}

TEST(PngSequence, AFrameIsToldFromAnotherPictureOfThisProgram) {
  const testing::TemporaryFolder folder;
  write_frames(folder.path() / "frames/", 1)->finish();
  EXPECT_EQ(written_mark(folder / "frames/0000.png"), kMark);
  write_png(folder / "frames/0007.png", testing::noise(6, 4, 1));
  EXPECT_THROW(check_output(folder / "frames", {.width = 6, .height = 4}), Error);
}

TEST(PngSequence, TheCurrentFolderWillDo) {
  const testing::TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_frames("./", 1)->finish();
  std::filesystem::current_path(before);
  EXPECT_EQ(listing(folder.path()), Names{"0000.png"});
}

}  // namespace
}  // namespace unianimate
