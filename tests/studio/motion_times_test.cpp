// The times of motions, which videos made by FFmpeg and poses tell.
#include <gmock/gmock.h>

#include <fstream>

#include "media/encoded_video.h"
#include "media/test_images.h"
#include "support/temporary_folder.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/format/pose_json.h"
#include "unianimate/studio/motion_times.h"

namespace unianimate::studio {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr testing::Encoding kMp4{"mov", "mp4", "libx264", "yuv420p"};
constexpr testing::Encoding kMatroska{"matroska", "matroska", "libx264", "yuv420p"};
constexpr testing::Encoding kWebm{"matroska", "webm", "libvpx", "yuv420p"};

std::vector<double> even_times(int frames, double frames_per_second) {
  std::vector<double> seconds(static_cast<std::size_t>(frames));
  for (int i = 0; i < frames; ++i) seconds[static_cast<std::size_t>(i)] = i / frames_per_second;
  return seconds;
}

/// Twelve frames, a pause, twelve frames, 16 a second.
std::vector<double> with_pause(double pause_seconds) {
  std::vector<double> seconds = even_times(12, 16);
  const double start = seconds.back() + pause_seconds;
  for (const double time : even_times(12, 16)) seconds.push_back(start + time);
  return seconds;
}

class MotionTimesOf : public ::testing::Test {
 protected:
  [[nodiscard]] AlignRequest video(const testing::Encoding& encoding, const std::vector<double>& seconds,
                                   int ticks_per_second = 1000) const {
    std::vector<Image> frames;
    frames.reserve(seconds.size());
    for (std::size_t i = 0; i < seconds.size(); ++i) frames.push_back(testing::waves(64, 48, static_cast<int>(i)));
    testing::write_encoded(folder_ / "video", encoding, frames, seconds, ticks_per_second);
    AlignRequest request;
    request.motion = folder_ / "video";
    return request;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(MotionTimesOf, AVideoThatStallsHoldsItsPose) {
  for (const testing::Encoding& encoding : {kMp4, kMatroska, kWebm}) {
    const MotionTimes times = read_motion_times(video(encoding, with_pause(81 / 16.0), 16));
    EXPECT_EQ(times.frames, 24) << encoding.muxer;
    EXPECT_EQ(times.poses, 104) << encoding.muxer;
    EXPECT_NEAR(times.frames_per_second, 16, 1e-2) << encoding.muxer;
    EXPECT_THAT(times.notes, ElementsAre(HasSubstr("pauses once"))) << encoding.muxer;
  }
}

TEST_F(MotionTimesOf, APauseOfAnHourIsCut) {
  const MotionTimes times = read_motion_times(video(kMp4, with_pause(3600), 16));
  EXPECT_EQ(times.frames, 24);
  EXPECT_EQ(times.frames_per_second, 16);
  EXPECT_EQ(times.poses, 12 + 160 - 1 + 12);
  EXPECT_THAT(times.notes, ElementsAre(HasSubstr("pauses once"), HasSubstr("3590 seconds of the motion are cut")));
}

TEST_F(MotionTimesOf, PhonesKeepTheirRate) {
  const std::vector<double> seconds = even_times(60, 30);
  for (const testing::Encoding& encoding : {kMp4, kMatroska}) {
    const MotionTimes times = read_motion_times(video(encoding, seconds));
    EXPECT_NEAR(times.frames_per_second, 30, 0.02);
    EXPECT_EQ(times.poses, 60);
    EXPECT_THAT(times.notes, IsEmpty());
  }
}

TEST_F(MotionTimesOf, ARateThatIsUsedIsNotToldToBeUseless) {
  const auto told = [](AlignRequest request) {
    request.motion_frames_per_second = 23.976;
    return ::testing::PrintToString(read_motion_times(request).notes);
  };
  constexpr testing::Encoding kMjpeg{"mjpeg", "mjpeg", "mjpeg", "yuvj420p"};
  EXPECT_THAT(told(video(kMjpeg, {0, 0.04, 0.08})), Not(HasSubstr("--motion-fps is not used")));
  AlignRequest openpose;
  openpose.motion = folder_ / "openpose.json";
  std::string points = "1,1,1";
  for (int i = 1; i < 18; ++i) points += ",1,1,1";
  std::ofstream(openpose.motion)
      << R"({"version":1.3,"canvas_width":9,"canvas_height":9,"people":[{"pose_keypoints_2d":[)" << points << "]}]}";
  EXPECT_THAT(told(openpose), Not(HasSubstr("--motion-fps is not used")));
  EXPECT_THAT(told(video(kMp4, {0, 0.04, 0.08}, 25)), HasSubstr("--motion-fps is not used"));
}

TEST_F(MotionTimesOf, TimesThatStartLateStartAtZero) {
  const MotionTimes times = read_motion_times(video(kMatroska, {3, 3.04, 3.08, 3.12, 3.16}));
  EXPECT_EQ(times.frames_per_second, 25);
  EXPECT_EQ(times.poses, 5);
}

TEST_F(MotionTimesOf, PartsSpeedsAndRatesCount) {
  const std::vector<double> seconds = even_times(50, 25);
  AlignRequest request = video(kMp4, seconds, 25);
  request.start_seconds = 0.39;
  request.end_seconds = 1.19;
  EXPECT_EQ(read_motion_times(request).frames, 20);
  request.speed = 0.5;
  EXPECT_EQ(read_motion_times(request).poses, 39);
  request.frames_per_second = 5;
  EXPECT_EQ(read_motion_times(request).poses, 8);
  EXPECT_EQ(read_motion_times(request).frames_per_second, 5);
}

TEST_F(MotionTimesOf, AStillPictureIsOneFrameAndTold) {
  write_png(folder_ / "a.png", testing::waves(8, 8, 0));
  AlignRequest request;
  request.motion = folder_ / "a.png";
  const MotionTimes times = read_motion_times(request);
  EXPECT_EQ(times.poses, 1);
  EXPECT_THAT(times.notes, ElementsAre(HasSubstr("is a still picture")));
}

TEST_F(MotionTimesOf, PartsBehindTheEndAreNamed) {
  const auto refusal = [](const AlignRequest& request) {
    return error_of(ErrorKind::kInput, [&] { read_motion_times(request); });
  };
  const std::vector<double> seconds = even_times(12, 16);
  AlignRequest request = video(kMp4, seconds, 16);
  request.start_seconds = 60;
  EXPECT_THAT(refusal(request), HasSubstr("--start 60 is behind the end, 0.75 seconds"));
  request.start_seconds = 0.7;
  EXPECT_THAT(refusal(request), HasSubstr("--start 0.7 is behind the last frame, at 0.6875 seconds"));

  pose::PoseSequence poses{640, 480, 10, "dwpose", {}};
  for (int i = 0; i < 5; ++i) poses.frames.push_back({5 + i / 10.0, {}});
  write_poses(folder_ / "poses.json", poses);
  request = {};
  request.motion = folder_ / "poses.json";
  request.end_seconds = 3;
  EXPECT_THAT(refusal(request), HasSubstr("--end 3 is before the first frame, at 5 seconds"));
  request.end_seconds = {};
  request.start_seconds = 60;
  EXPECT_THAT(refusal(request), HasSubstr("--start 60 is behind the end, 5.5 seconds"));
}

}  // namespace
}  // namespace unianimate::studio
