#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "media/encoded_video.h"
#include "media/test_images.h"
#include "media/test_videos.h"
#include "support/temporary_folder.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/frame_source.h"

namespace unianimate {
namespace {

using testing::all_frames;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::expect_quarters;
using ::testing::HasSubstr;
using testing::kQuarters;
using testing::Quarters;
using testing::test_data;
using testing::times_of;

std::unique_ptr<FrameSource> open_test_video(const std::string& name, const FrameSourceOptions& options = {}) {
  return open_frame_source(test_data("media/videos/" + name), options);
}

TEST(VideoSource, VaryingFrameRateKeepsItsTimes) {
  const auto source = open_test_video("vfr.mp4");
  EXPECT_THAT(times_of(all_frames(*source)),
              ElementsAre(0, ::testing::DoubleNear(0.1, 1e-3), ::testing::DoubleNear(0.3, 1e-3),
                          ::testing::DoubleNear(0.35, 1e-3), ::testing::DoubleNear(1, 1e-3)));
  EXPECT_EQ(source->trouble(), "");
}

TEST(VideoSource, TenBitsAreReduced) {
  const auto source = open_test_video("quarters_10bit.mp4");
  EXPECT_EQ(source->info().description, "h264 video, yuv420p10le");
  const auto frames = all_frames(*source);
  ASSERT_EQ(frames.size(), 5U);
  expect_quarters(frames.back().image, kQuarters, 6);
}

// The files hold the colours as SDR would show them, so tone mapping must come close to these again; without it they
// come out pale, more than 60 levels off.
TEST(VideoSource, HdrIsToneMapped) {
  const auto source = open_test_video("quarters_pq.mp4");
  EXPECT_THAT(source->info().description, AllOf(HasSubstr("yuv420p10le"), HasSubstr("HDR (PQ) tone-mapped")));
  expect_quarters(source->next()->image, kQuarters, 30);
  const auto hlg = open_test_video("quarters_hlg.mp4");
  EXPECT_THAT(hlg->info().description, HasSubstr("HDR (HLG) tone-mapped"));
  expect_quarters(hlg->next()->image, kQuarters, 45);
}

TEST(VideoSource, PixelsBecomeSquare) {
  const auto source = open_test_video("quarters_wide_pixels.mp4");
  EXPECT_EQ(source->info().width, 128);
  EXPECT_EQ(source->info().height, 48);
  const Image image = source->next()->image;
  EXPECT_EQ(image.width, 128);
  expect_quarters(image, kQuarters, 6);
}

TEST(VideoSource, FramesThatChangeTheirSizeAreScaled) {
  const auto source = open_test_video("size_changes.h264");
  const auto frames = all_frames(*source);
  ASSERT_EQ(frames.size(), 10U);
  for (const TimedFrame& frame : frames) {
    EXPECT_EQ(frame.image.width, 64);
    EXPECT_EQ(frame.image.height, 48);
    expect_quarters(frame.image, kQuarters, 12);
  }
  EXPECT_EQ(source->trouble(), "");
}

TEST(VideoSource, SoundIsSeen) {
  EXPECT_TRUE(open_test_video("tone.mp4")->info().has_audio);
  EXPECT_FALSE(open_test_video("vfr.mp4")->info().has_audio);
}

TEST(VideoSource, SoundWithACoverIsNoVideo) {
  EXPECT_THAT(testing::error_of(ErrorKind::kInput, [] { open_test_video("sound_with_cover.m4a"); }),
              HasSubstr("no video stream"));
}

TEST(VideoSource, GifHasItsOwnTimes) {
  const testing::TemporaryFolder folder;
  const auto sink = open_video_writer(folder / "a.gif", {.width = 31, .height = 23, .frames_per_second = 5});
  for (int i = 0; i < 4; ++i) sink->write(testing::quarters(31, 23));
  sink->finish();
  const auto source = open_frame_source(folder / "a.gif");
  EXPECT_EQ(source->info().description, "gif video, bgra");
  const auto frames = all_frames(*source);
  EXPECT_THAT(times_of(frames), ElementsAre(0, 0.2, 0.4, 0.6));
  EXPECT_EQ(frames.back().image.width, 31);
  expect_quarters(frames.back().image, kQuarters, 2);
}

// A video of `frames` frames, each with its own picture.
void write_waves(const std::filesystem::path& path, int frames, double frames_per_second) {
  const auto sink = open_video_writer(path, {.width = 64, .height = 48, .frames_per_second = frames_per_second});
  for (int i = 0; i < frames; ++i) sink->write(testing::waves(64, 48, 5 * i));
  sink->finish();
}

class CutOfAVideo : public ::testing::TestWithParam<const char*> {};

TEST_P(CutOfAVideo, IsWhatDecodingAllGives) {
  constexpr double kRate = 24000.0 / 1001;
  const testing::TemporaryFolder folder;
  write_waves(folder / GetParam(), 300, kRate);
  const auto all = all_frames(*open_frame_source(folder / GetParam()));
  ASSERT_EQ(all.size(), 300U);
  for (const double start : {0.0, 0.04, 3.3, all[250].seconds, 12.0}) {
    for (const double length : {0.01, 0.5, 20.0}) {
      const FrameSourceOptions part{.start_seconds = start, .end_seconds = start + length};
      auto expected = std::ranges::find_if(all, [&](const TimedFrame& frame) { return frame.seconds >= start; });
      const auto count = std::ranges::count_if(all, [&](const TimedFrame& frame) { return part.holds(frame.seconds); });
      if (count == 0) {
        EXPECT_THAT(testing::error_of(ErrorKind::kInput, [&] { open_frame_source(folder / GetParam(), part); }),
                    HasSubstr("no frame in the part asked for"));
        continue;
      }
      const auto source = open_frame_source(folder / GetParam(), part);
      const auto cut = all_frames(*source);
      ASSERT_EQ(std::ssize(cut), count) << start;
      for (const TimedFrame& frame : cut) {
        EXPECT_EQ(frame.seconds, expected->seconds);
        EXPECT_EQ(frame.image, (expected++)->image);
      }
      EXPECT_EQ(source->info().frame_count, count);
      EXPECT_EQ(source->info().seconds, times_of(cut));
      EXPECT_EQ(source->trouble(), "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, CutOfAVideo, ::testing::Values("a.mp4", "a.webm"));

// Of streams that were put one behind the other.
TEST(VideoSource, TimesThatBeginAgainGoOn) {
  const testing::TemporaryFolder folder;
  testing::write_encoded(folder / "a.ts", {"mpegts", "mpegts", "mpeg2video", "yuv420p"},
                         std::vector<Image>(8, testing::quarters(64, 48)),
                         {0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28});
  const std::string once = testing::file_content(folder / "a.ts");
  testing::write_file(folder / "b.ts", once + once);
  const auto source = open_frame_source(folder / "b.ts");
  EXPECT_EQ(source->info().frames_per_second, 25);
  const auto times = times_of(all_frames(*source));
  ASSERT_GE(times.size(), 15U);  // the decoder loses one where they meet
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GT(times[i], times[i - 1] + 0.039);
  EXPECT_NEAR(times.back(), 15.0 / 25, 1e-6);
}

// The rate of folders is for streams that do not tell theirs.
TEST(VideoSource, RawStreamsMayTellTheirRate) {
  const testing::TemporaryFolder folder;
  testing::write_encoded(folder / "a.h264", {"h264", "h264", "libx264", "yuv420p"},
                         std::vector<Image>(4, testing::quarters(64, 48)), {0, 0.04, 0.08, 0.12});
  const auto source = open_frame_source(folder / "a.h264", {.folder_frames_per_second = 10});
  EXPECT_EQ(source->info().frames_per_second, 25);
  EXPECT_THAT(source->info().notes, ::testing::IsEmpty());
  EXPECT_NEAR(all_frames(*source).back().seconds, 0.12, 1e-6);
}

TEST(VideoSource, PartBeyondTheEndIsRefused) {
  for (const double start : {100.0, 1e300}) {
    EXPECT_THAT(testing::error_of(ErrorKind::kInput, [&] { open_test_video("vfr.mp4", {.start_seconds = start}); }),
                HasSubstr("is behind the end, 1.1"));
  }
}

TEST(VideoSource, ThreadsDoNotChangeFrames) {
  const auto one = all_frames(*open_test_video("tone.mp4", {.threads = 1}));
  const auto three = all_frames(*open_test_video("tone.mp4", {.threads = 3}));
  ASSERT_EQ(one.size(), three.size());
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].image, three[i].image);
}

struct Turn {
  int xx, xy, yx, yy;
};

class DisplayMatrix : public ::testing::TestWithParam<Turn> {};

std::string four_bytes(int value) {
  return testing::big_endian(static_cast<std::uint32_t>(value), 4);
}

// The quarter at one side of the middle is shown at the side to which the matrix takes it.
Quarters turned(const Turn& turn) {
  Quarters shown{};
  for (int quarter = 0; quarter < 4; ++quarter) {
    const int x = quarter % 2 == 0 ? -1 : 1;
    const int y = quarter < 2 ? -1 : 1;
    const int shown_x = turn.xx * x + turn.yx * y;
    const int shown_y = turn.xy * x + turn.yy * y;
    const int place = (shown_y > 0 ? 2 : 0) + (shown_x > 0 ? 1 : 0);
    shown.at(static_cast<std::size_t>(place)) = kQuarters.at(static_cast<std::size_t>(quarter));
  }
  return shown;
}

TEST_P(DisplayMatrix, TurnsFramesUpright) {
  const Turn& turn = GetParam();
  const testing::TemporaryFolder folder;
  const auto sink = open_video_writer(folder / "a.mp4", {.width = 64, .height = 48});
  for (int i = 0; i < 3; ++i) sink->write(testing::quarters(64, 48));
  sink->finish();
  std::string bytes = testing::file_content(folder / "a.mp4");
  // In the track header of ISO/IEC 14496-12, 8.3.2, of version 0.
  constexpr std::size_t kMatrix = 44;
  constexpr int kOne = 0x10000;
  const std::string matrix = four_bytes(turn.xx * kOne) + four_bytes(turn.xy * kOne) + four_bytes(0) +
                             four_bytes(turn.yx * kOne) + four_bytes(turn.yy * kOne);
  bytes.replace(bytes.find("tkhd") + kMatrix, matrix.size(), matrix);
  testing::write_file(folder / "b.mp4", bytes);

  const auto source = open_frame_source(folder / "b.mp4");
  EXPECT_EQ(source->info().width, turn.xx != 0 ? 64 : 48);
  EXPECT_EQ(source->info().height, turn.xx != 0 ? 48 : 64);
  const auto frames = all_frames(*source);
  ASSERT_EQ(frames.size(), 3U);
  for (const TimedFrame& frame : frames) {
    EXPECT_EQ(frame.image.width, source->info().width);
    expect_quarters(frame.image, turned(turn), 8);
  }
}

INSTANTIATE_TEST_SUITE_P(Turns, DisplayMatrix,
                         ::testing::Values(Turn{1, 0, 0, 1}, Turn{-1, 0, 0, 1}, Turn{1, 0, 0, -1}, Turn{-1, 0, 0, -1},
                                           Turn{0, 1, 1, 0}, Turn{0, 1, -1, 0}, Turn{0, -1, 1, 0}, Turn{0, -1, -1, 0}));

TEST(VideoSource, AnyVideoOfYours) {
  const char* path = std::getenv("UNIANIMATE_TEST_VIDEO");
  if (path == nullptr) GTEST_SKIP() << "UNIANIMATE_TEST_VIDEO names no video";
  const auto source = open_frame_source(path);
  double last = -1;
  while (const auto frame = source->next()) {
    EXPECT_EQ(frame->image.width, source->info().width);
    EXPECT_GT(frame->seconds, last);
    last = frame->seconds;
  }
  EXPECT_GE(last, 0);
  EXPECT_EQ(source->trouble(), "");
}

}  // namespace
}  // namespace unianimate
