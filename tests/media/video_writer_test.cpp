#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/film/open_frame_source.h"

#include <gmock/gmock.h>
#include <malloc.h>

#include <limits>
#include <utility>

#include "media/test_images.h"
#include "media/test_videos.h"
#include "support/file_size_limit.h"
#include "support/temporary_folder.h"
#include "unianimate/core/written_mark.h"

namespace unianimate {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;
using testing::listing;
using testing::psnr;
using Names = std::set<std::string>;

constexpr int kFrames = 13;

void write_waves(const std::filesystem::path& path, const VideoFormat& format, int frames = kFrames) {
  const auto sink = open_video_writer(path, format);
  for (int i = 0; i < frames; ++i) sink->write(testing::waves(format.width, format.height, i));
  sink->finish();
}

std::vector<Image> read_frames(const std::filesystem::path& path) {
  const auto source = open_frame_source(path);
  std::vector<Image> frames;
  while (auto frame = source->next()) frames.push_back(std::move(frame->image));
  EXPECT_EQ(source->trouble(), "");
  return frames;
}

struct Kind {
  std::string name;
  std::string codec;
  std::string pixel_format;
  double psnr;
};

std::ostream& operator<<(std::ostream& out, const Kind& kind) {
  return out << kind.name;
}

class VideoWriter : public ::testing::TestWithParam<Kind> {
 protected:
  testing::TemporaryFolder folder_;
};

TEST_P(VideoWriter, CarriesAMark) {
  const auto path = folder_ / GetParam().name;
  write_waves(path, {.width = 96, .height = 64});
  EXPECT_EQ(written_mark(path), kMark);
  write_waves(path, {.width = 96, .height = 64, .effort = VideoEffort::kPreview}, 1);
  EXPECT_EQ(written_mark(path), kPreviewMark);
  EXPECT_EQ(read_frames(path).size(), 1U);
  write_waves(path, {.width = 16, .height = 16}, 400);
  EXPECT_EQ(written_mark(path), kMark);
}

TEST_P(VideoWriter, ReadsBackAlike) {
  const auto path = folder_ / GetParam().name;
  write_waves(path, {.width = 96, .height = 64, .frames_per_second = 12.5});
  const FrameSourceInfo info = open_frame_source(path)->info();
  EXPECT_EQ(info.width, 96);
  EXPECT_EQ(info.height, 64);
  EXPECT_NEAR(info.frames_per_second, 12.5, 1e-6);
  EXPECT_EQ(info.frame_count, kFrames);
  EXPECT_EQ(info.description, GetParam().codec + " video, " + GetParam().pixel_format);
  const auto frames = read_frames(path);
  ASSERT_EQ(frames.size(), std::size_t{kFrames});
  for (int i = 0; i < kFrames; ++i) {
    EXPECT_GT(psnr(frames[static_cast<std::size_t>(i)], testing::waves(96, 64, i)), GetParam().psnr) << i;
  }
  EXPECT_EQ(listing(folder_.path()), Names{GetParam().name});
}

// A wrong matrix or range shifts flat colours by many levels.
TEST_P(VideoWriter, KeepsColours) {
  const auto path = folder_ / GetParam().name;
  const std::uint8_t colors[][3] = {{255, 255, 255}, {0, 0, 0}, {200, 30, 40}, {20, 180, 60}, {30, 40, 220}};
  const auto sink = open_video_writer(path, {.width = 64, .height = 64});
  for (const auto& color : colors) {
    Image image(64, 64);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = color[i % 3];
    sink->write(image);
  }
  sink->finish();
  const auto frames = read_frames(path);
  ASSERT_EQ(frames.size(), std::size(colors));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      EXPECT_NEAR(frames[i].row(32)[32 * 3 + channel], colors[i][channel], 4) << i;
    }
  }
}

TEST_P(VideoWriter, OddSidesLoseNothing) {
  const auto path = folder_ / GetParam().name;
  write_waves(path, {.width = 77, .height = 51}, 3);
  const auto frames = read_frames(path);
  ASSERT_EQ(frames.size(), 3U);
  const bool padded = GetParam().pixel_format == "yuv420p";
  ASSERT_EQ(frames[2].width, padded ? 78 : 77);
  ASSERT_EQ(frames[2].height, padded ? 52 : 51);
  Image shown(77, 51);
  for (int y = 0; y < 51; ++y) std::ranges::copy(frames[2].row(y).first(shown.row_bytes()), shown.row(y).begin());
  EXPECT_GT(psnr(shown, testing::waves(77, 51, 2)), GetParam().psnr - 2);
  if (padded) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      EXPECT_NEAR(frames[2].row(20)[77 * 3 + channel], frames[2].row(20)[76 * 3 + channel], 10);
      EXPECT_NEAR(frames[2].row(51)[30 + channel], frames[2].row(50)[30 + channel], 10);
    }
  }
}

TEST_P(VideoWriter, OneFrameIsAVideo) {
  write_waves(folder_ / GetParam().name, {.width = 64, .height = 64}, 1);
  EXPECT_EQ(read_frames(folder_ / GetParam().name).size(), 1U);
}

/// Freed memory and fresh memory hold this byte and its opposite; 0: what they happen to hold.
class FilledMemory {
 public:
  explicit FilledMemory(int byte) {
    // Large pieces come from freed memory too, as they do after long work.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_PERTURB, byte);
  }
  ~FilledMemory() {
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_PERTURB, 0);
  }
  FilledMemory(const FilledMemory&) = delete;
  FilledMemory& operator=(const FilledMemory&) = delete;
};

// Encoders read what nobody wrote where a width is no multiple of what they work on at once.
TEST_P(VideoWriter, TheSameFramesMakeTheSameFile) {
  const auto path = folder_ / GetParam().name;
  for (const VideoEffort effort : {VideoEffort::kFull, VideoEffort::kPreview}) {
    for (const auto& [width, height] :
         {std::pair(64, 64), std::pair(192, 96), std::pair(320, 176), std::pair(77, 51)}) {
      const auto written = [&, size = std::pair(width, height)](int byte) {
        const FilledMemory fill(byte);
        write_waves(path, {.width = size.first, .height = size.second, .effort = effort}, 10);
        return testing::file_content(path);
      };
      const std::string first = written(0);
      for (const int byte : {130, 255}) EXPECT_TRUE(written(byte) == first) << width << ' ' << byte;
    }
  }
}

TEST_P(VideoWriter, ExistingFileStaysUntilFinish) {
  const auto path = folder_ / GetParam().name;
  testing::write_file(path, "old");
  auto sink = open_video_writer(path, {.width = 64, .height = 64});
  sink->write(testing::waves(64, 64, 0));
  EXPECT_EQ(testing::file_content(path), "old");
  sink.reset();
  EXPECT_EQ(testing::file_content(path), "old");
  EXPECT_EQ(listing(folder_.path()), Names{GetParam().name});
  write_waves(path, {.width = 64, .height = 64}, 2);
  EXPECT_EQ(read_frames(path).size(), 2U);
}

TEST_P(VideoWriter, FullDiskIsReportedAndLeavesNothing) {
  const auto path = folder_ / GetParam().name;
  {
    const testing::FileSizeLimit limit(20000);
    const auto write = [&] {
      const auto sink = open_video_writer(path, {.width = 256, .height = 256});
      for (int i = 0; i < 10; ++i) sink->write(testing::noise(256, 256, static_cast<std::uint32_t>(i)));
      sink->finish();
    };
    EXPECT_THAT(error_of(ErrorKind::kEnvironment, write), AllOf(HasSubstr(GetParam().name), HasSubstr("too large")));
  }
  EXPECT_EQ(listing(folder_.path()), Names{});
}

TEST_P(VideoWriter, RefusesOtherSizesAndNoFrames) {
  const auto sink = open_video_writer(folder_ / GetParam().name, {.width = 64, .height = 32});
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { sink->write(Image(32, 64)); }),
              AllOf(HasSubstr("64×32"), HasSubstr("32×64")));
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { sink->finish(); }), HasSubstr("no frames"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, VideoWriter,
                         ::testing::Values(Kind{"a.mp4", "h264", "yuv420p", 36}, Kind{"a.webm", "vp9", "yuv420p", 34},
                                           Kind{"a.mkv", "ffv1", "bgr0", std::numeric_limits<double>::max()},
                                           Kind{"a.gif", "gif", "bgra", 28}));

TEST(VideoWriterFile, Mp4StartsWithItsIndex) {
  const testing::TemporaryFolder folder;
  write_waves(folder / "a.mp4", {.width = 64, .height = 64});
  const std::string bytes = testing::file_content(folder / "a.mp4");
  EXPECT_LT(bytes.find("moov"), bytes.find("mdat"));
}

TEST(VideoWriterFile, KeepsBroadcastFrameRates) {
  const testing::TemporaryFolder folder;
  write_waves(folder / "a.mp4", {.width = 64, .height = 64, .frames_per_second = 24000.0 / 1001});
  EXPECT_DOUBLE_EQ(open_frame_source(folder / "a.mp4")->info().frames_per_second, 24000.0 / 1001);
}

TEST(VideoWriterFile, StrangeNamesAreNames) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"http:clip %03d.MP4", "-y.mkv", "ä ö.gif"}) {
    write_waves(folder / name, {.width = 64, .height = 64}, 2);
    EXPECT_EQ(read_frames(folder / name).size(), 2U) << name;
  }
}

TEST(VideoWriterFile, ThreadsDoNotChangeLosslessFrames) {
  const testing::TemporaryFolder folder;
  write_waves(folder / "a.mkv", {.width = 64, .height = 64, .threads = 3});
  EXPECT_EQ(read_frames(folder / "a.mkv").back(), testing::waves(64, 64, kFrames - 1));
}

TEST(VideoWriterFile, PreviewsAreVideosToo) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"a.mp4", "a.webm", "a.mkv"}) {
    write_waves(folder / name, {.width = 64, .height = 64, .effort = VideoEffort::kPreview});
    EXPECT_GT(psnr(read_frames(folder / name).back(), testing::waves(64, 64, kFrames - 1)), 30) << name;
  }
}

TEST(VideoFormatCheck, NamesTheField) {
  const testing::TemporaryFolder folder;
  const auto message = [&](const VideoFormat& format) {
    return error_of(ErrorKind::kUsage, [&] { open_video_writer(folder / "a.gif", format); });
  };
  EXPECT_THAT(message({.width = 0, .height = 5}), HasSubstr("0×5"));
  EXPECT_THAT(message({.width = 5, .height = 20000}), HasSubstr("20000"));
  EXPECT_THAT(message({.width = 5, .height = 5, .frames_per_second = std::nan("")}), HasSubstr("nan"));
  EXPECT_THAT(message({.width = 5, .height = 5, .frames_per_second = -1}), HasSubstr("-1"));
  EXPECT_THAT(message({.width = 5, .height = 5, .frames_per_second = 60}), HasSubstr("at most 50"));
  EXPECT_THAT(message({.width = 5, .height = 5, .threads = -1}), HasSubstr("threads"));
  EXPECT_EQ(listing(folder.path()), Names{});
}

constexpr VideoFormat kFormat{.width = 64, .height = 64};

TEST(CheckOutput, RefusesFrameRatesTheKindCannotHold) {
  const testing::TemporaryFolder folder;
  const auto message = [&](const char* name, double frames_per_second) {
    return error_of(ErrorKind::kUsage, [&] {
      check_output(folder / name, {.width = 64, .height = 64, .frames_per_second = frames_per_second});
    });
  };
  EXPECT_THAT(message("a.mp4", 1e-9), HasSubstr("between 0.01 and 1000"));
  EXPECT_THAT(message("a.gif", 51), HasSubstr("at most 50"));
  check_output(folder / "a.mp4", {.width = 64, .height = 64, .frames_per_second = 0.01});
  EXPECT_EQ(listing(folder.path()), Names{});
}

TEST(CheckOutput, TriesPlacesThatOnlySeemWritable) {
  EXPECT_THAT(error_of(ErrorKind::kEnvironment, [] { check_output("/proc/a.mp4", kFormat); }), HasSubstr("/proc"));
}

TEST(CheckSpace, RefusesWhatNoDiskHolds) {
  const testing::TemporaryFolder folder;
  const VideoFormat large{.width = 16384, .height = 16384};
  constexpr std::int64_t kFramesOfALifetime = 1'000'000'000;
  check_space(folder / "not/yet/a.mp4", large, kFramesOfALifetime);
  EXPECT_THAT(
      error_of(ErrorKind::kEnvironment, [&] { check_space(folder.path() / "frames/", large, kFramesOfALifetime); }),
      AllOf(HasSubstr("frames/"), HasSubstr("make room")));
}

TEST(CheckOutput, SaysSoBeforeTheWork) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"a.avi", "a", "a.mp4.txt"}) {
    EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { check_output(folder / name, kFormat); }),
                AllOf(HasSubstr(name), HasSubstr(".mp4, .webm, .mkv"), HasSubstr(".gif")));
  }
  EXPECT_THAT(error_of(ErrorKind::kEnvironment, [&] { check_output(folder / "none/a.mp4", kFormat); }),
              HasSubstr("none"));
  EXPECT_THAT(error_of(ErrorKind::kEnvironment, [&] { check_output(folder.path() / "none/frames/", kFormat); }),
              HasSubstr("none"));
  check_output(folder / "a.mp4", kFormat);
  check_output(folder / "a.WebM", kFormat);
  check_output(folder.path() / "frames/", kFormat);
  check_output(folder.path(), kFormat);
  EXPECT_EQ(listing(folder.path()), Names{});
}

}  // namespace
}  // namespace unianimate
