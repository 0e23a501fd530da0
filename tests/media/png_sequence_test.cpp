#include <gmock/gmock.h>

#include "media/test_images.h"
#include "support/temporary_folder.h"
#include "unianimate/media/image_reader.h"
#include "unianimate/media/video_writer.h"

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
  for (const char* kept : {"notes.txt", "4.png", "0004.jpg", "frame0004.png", "00004.png"}) {
    testing::write_file(folder / "frames" / kept, "mine");
  }
  write_frames(folder / "frames", 2)->finish();
  EXPECT_EQ(listing(folder / "frames"),
            (Names{"0000.png", "0001.png", "notes.txt", "4.png", "0004.jpg", "frame0004.png", "00004.png"}));
}

TEST(PngSequence, WithoutFinishNothingChanges) {
  const testing::TemporaryFolder folder;
  write_frames(folder.path() / "new/", 2).reset();
  EXPECT_EQ(listing(folder.path()), Names{});
  std::filesystem::create_directory(folder / "old");
  testing::write_file(folder / "old/0000.png", "mine");
  write_frames(folder / "old", 2).reset();
  EXPECT_EQ(listing(folder / "old"), Names{"0000.png"});
  EXPECT_EQ(testing::file_content(folder / "old/0000.png"), "mine");
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
