#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/film/open_frame_source.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>

#include "media/test_images.h"
#include "media/test_videos.h"
#include "support/temporary_folder.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate {
namespace {

using testing::all_frames;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::times_of;

class FrameSourceTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string refusal(const std::filesystem::path& path) const {
    return error_of(ErrorKind::kInput, [&] { open_frame_source(path); });
  }

  // Each picture has its own grey, so that it is known again.
  void write_grey(const std::string& name, std::uint8_t grey, int width = 8, int height = 6) {
    Image image(width, height);
    std::ranges::fill(image.pixels, grey);
    write_png(folder_ / name, image);
  }

  testing::TemporaryFolder folder_;
};

TEST_F(FrameSourceTest, FolderIsReadInNaturalOrder) {
  write_grey("frame_10.PNG", 10);
  write_grey("frame_9.png", 9);
  write_grey("frame_1.png", 1);
  write_grey("a3.jpg", 0);
  write_grey("frame_010.png", 11);
  write_grey(".hidden.png", 99);
  testing::write_file(folder_ / "notes.txt", "not a picture");
  std::filesystem::create_directory(folder_ / "frame_2.png");
  const auto source = open_frame_source(folder_.path(), {.folder_frames_per_second = 10});
  EXPECT_EQ(source->info().width, 8);
  EXPECT_EQ(source->info().height, 6);
  EXPECT_EQ(source->info().frame_count, 5);
  EXPECT_EQ(source->info().frames_per_second, 10);
  EXPECT_FALSE(source->info().has_audio);
  EXPECT_EQ(source->info().description, "folder of 5 pictures, 1 other files ignored");
  EXPECT_THAT(source->info().notes,
              ElementsAre(AllOf(HasSubstr("a file is passed over in"), HasSubstr(": notes.txt"))));
  const auto frames = all_frames(*source);
  EXPECT_THAT(times_of(frames), ElementsAre(0, 0.1, 0.2, 0.3, 0.4));
  std::vector<int> greys(frames.size());
  std::ranges::transform(frames, greys.begin(), [](const TimedFrame& frame) { return frame.image.pixels.front(); });
  EXPECT_THAT(greys, ElementsAre(0, 1, 9, 10, 11));
  EXPECT_EQ(source->trouble(), "");
}

TEST_F(FrameSourceTest, FolderIsCut) {
  for (int i = 0; i < 20; ++i) write_grey(std::to_string(i) + ".png", static_cast<std::uint8_t>(i));
  const auto source =
      open_frame_source(folder_.path(), {.start_seconds = 0.3, .end_seconds = 0.7, .folder_frames_per_second = 10});
  EXPECT_EQ(source->info().frame_count, 4);
  EXPECT_THAT(times_of(all_frames(*source)), ElementsAre(0.3, 0.4, 0.5, 0.6));
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { open_frame_source(folder_.path(), {.start_seconds = 60}); }),
              HasSubstr("--start 60 is behind the end, 1.25 seconds"));
}

TEST_F(FrameSourceTest, NumbersLeftOutOfAFolderAreTold) {
  const auto notes = [&](const std::vector<std::string>& names) {
    const testing::TemporaryFolder pictures;
    for (const std::string& name : names) write_png(pictures / name, Image(8, 6));
    return open_frame_source(pictures.path())->info().notes;
  };
  EXPECT_THAT(notes({"0.png", "1.png", "2.png", "5.png", "6.png"}),
              ElementsAre(HasSubstr("has no pictures numbered 3, 4, and")));
  EXPECT_THAT(notes({"a10.png", "a20.png", "a30.png", "a40.png"}), IsEmpty());
  EXPECT_THAT(notes({"a1.png", "a2.png", "b7.png", "c.png"}), IsEmpty());
}

TEST_F(FrameSourceTest, PicturesOfOtherKindsInAFolderAreTold) {
  write_grey("1.png", 1);
  testing::write_file(folder_ / "2.gif", "GIF");
  testing::write_file(folder_ / "3.jxl", "");
  testing::write_file(folder_ / ".hidden", "");
  EXPECT_THAT(open_frame_source(folder_.path())->info().notes,
              ElementsAre(AllOf(HasSubstr("2 files are passed over in"), HasSubstr(": 2.gif, …"))));
}

TEST_F(FrameSourceTest, MoreThanCanBeDecodedIsRefusedBefore) {
  check_pixels("a.gif", {}, 1920, 1080, 60 * 3600);
  EXPECT_THAT(error_of(ErrorKind::kInput, [] { check_pixels("a.gif", {}, 8000, 8000, 7813); }),
              AllOf(HasSubstr("a.gif holds 7813 frames of 8000×8000"), HasSubstr("500000000000")));
}

TEST_F(FrameSourceTest, DamagedPictureOfAFolderIsLeftOut) {
  write_grey("1.png", 1);
  testing::write_file(folder_ / "2.png", "");
  write_grey("3.png", 3);
  const auto source = open_frame_source(folder_.path(), {.folder_frames_per_second = 2});
  EXPECT_THAT(times_of(all_frames(*source)), ElementsAre(0, 1));
  EXPECT_THAT(source->trouble(), AllOf(HasSubstr("1 of the folder's pictures"), HasSubstr("2.png is empty")));
}

TEST_F(FrameSourceTest, OtherSizeInAFolderIsNamed) {
  write_grey("1.png", 1);
  write_grey("2.png", 2, 9, 6);
  const auto source = open_frame_source(folder_.path());
  source->next();
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { source->next(); }),
              AllOf(HasSubstr("1.png is 8×6"), HasSubstr("2.png is 9×6")));
}

TEST_F(FrameSourceTest, FolderWithoutPicturesIsRefused) {
  testing::write_file(folder_ / "clip.mp4", "");
  EXPECT_THAT(refusal(folder_.path()), HasSubstr("holds no pictures"));
}

TEST_F(FrameSourceTest, PictureIsOneFrame) {
  write_grey("a.video", 7);
  const auto source = open_frame_source(folder_ / "a.video");
  EXPECT_EQ(source->info().frame_count, 1);
  EXPECT_EQ(source->info().description, "single picture");
  EXPECT_THAT(source->info().notes, ElementsAre(HasSubstr("is a still picture, so the motion is one frame")));
  const auto frames = all_frames(*source);
  ASSERT_THAT(times_of(frames), ElementsAre(0));
  EXPECT_EQ(frames.front().image.pixels.front(), 7);
}

TEST_F(FrameSourceTest, PicturesStandUpright) {
  const auto source = open_frame_source(testing::test_data("media/orientation6.jpg"));
  const Image upright = read_image(testing::test_data("media/orientation6.jpg"));
  EXPECT_EQ(source->info().width, upright.width);
  EXPECT_EQ(source->next()->image, upright);
}

TEST_F(FrameSourceTest, DamagedPictureIsRefused) {
  const std::string png = encode_png(testing::noise(30, 30, 1));
  testing::write_file(folder_ / "a.png", png.substr(0, png.size() / 2));
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { open_frame_source(folder_ / "a.png")->next(); }), HasSubstr("a.png"));
}

TEST_F(FrameSourceTest, AnimatedWebpIsAMotion) {
  const auto source = open_frame_source(testing::test_data("media/animated.webp"));
  EXPECT_EQ(source->info().description, "animated WebP");
  EXPECT_EQ(source->info().width, 23);
  EXPECT_EQ(source->info().height, 17);
  EXPECT_THAT(times_of(all_frames(*source)), ElementsAre(0, 0.1));
}

TEST_F(FrameSourceTest, WhatIsNoSourceIsNamed) {
  testing::write_file(folder_ / "empty.mp4", "");
  testing::write_file(folder_ / "text.mp4", "I am not a video.\n");
  EXPECT_THAT(refusal(folder_ / "none.mp4"), AllOf(HasSubstr("none.mp4"), HasSubstr("does not exist")));
  EXPECT_THAT(refusal("/dev/zero"), HasSubstr("is not a file"));
  EXPECT_THAT(refusal(folder_ / "empty.mp4"), AllOf(HasSubstr("empty.mp4"), HasSubstr("is empty")));
  EXPECT_THAT(refusal(folder_ / "text.mp4"), AllOf(HasSubstr("text.mp4"), HasSubstr("it is no video")));
}

TEST(FrameSourceOptionsCheck, NamesTheField) {
  const auto message = [](const FrameSourceOptions& options) {
    return error_of(ErrorKind::kUsage, [&] { options.check(); });
  };
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(message({.start_seconds = -1}), AllOf(HasSubstr("start"), HasSubstr("-1")));
  EXPECT_THAT(message({.start_seconds = kNan}), HasSubstr("start"));
  EXPECT_THAT(message({.start_seconds = 2, .end_seconds = 2}), HasSubstr("end"));
  EXPECT_THAT(message({.end_seconds = kNan}), HasSubstr("end"));
  EXPECT_THAT(message({.folder_frames_per_second = 0}), HasSubstr("pictures per second"));
  EXPECT_THAT(message({.threads = -1}), HasSubstr("threads"));
}

}  // namespace
}  // namespace unianimate
