#include <gmock/gmock.h>

#include "media/test_images.h"
#include "support/temporary_folder.h"
#include "unianimate/core/memory.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/frame_source.h"

namespace unianimate {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HostileVideo : public ::testing::Test {
 protected:
  // A video's bytes.
  std::string video(const std::string& name, int frames = 8) {
    const auto sink = open_video_writer(folder_ / name, {.width = 64, .height = 48});
    for (int i = 0; i < frames; ++i) sink->write(testing::waves(64, 48, i));
    sink->finish();
    return testing::file_content(folder_ / name);
  }

  struct Outcome {
    int frames = 0;
    // The trouble, or the Error(kInput) in place of frames.
    std::string told;
  };

  // NOLINTNEXTLINE(modernize-use-nodiscard): that reading comes to its end is a result of its own
  Outcome read(const std::string& bytes, const ReadLimits& limits = {}) const {
    testing::write_file(folder_ / "given", bytes);
    Outcome outcome;
    try {
      const auto source = open_frame_source(folder_ / "given", {.limits = limits});
      double last = -1;
      while (const auto frame = source->next()) {
        EXPECT_EQ(frame->image.width, source->info().width);
        EXPECT_EQ(frame->image.pixels.size(), frame->image.row_bytes() * static_cast<std::size_t>(frame->image.height));
        EXPECT_TRUE(std::isfinite(frame->seconds));
        EXPECT_GT(frame->seconds, last);
        last = frame->seconds;
        ++outcome.frames;
      }
      outcome.told = source->trouble();
    } catch (const Error& problem) {
      EXPECT_EQ(problem.kind(), ErrorKind::kInput) << problem.what();
      outcome.told = problem.what();
    }
    return outcome;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(HostileVideo, PlaylistsAreRefused) {
  video("a.mp4");
  testing::write_file(folder_ / "list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" +
                                                 (folder_ / "a.mp4").string() + "\n#EXT-X-ENDLIST\n");
  testing::write_file(folder_ / "list.ffconcat", "ffconcat version 1.0\nfile a.mp4\n");
  for (const char* name : {"list.m3u8", "list.ffconcat"}) {
    error_of(ErrorKind::kInput, [&] { open_frame_source(folder_ / name); });
  }
}

TEST_F(HostileVideo, PixelLimitHolds) {
  EXPECT_THAT(read(video("a.mp4"), {.max_pixels = 3000}).told, AllOf(HasSubstr("64×48"), HasSubstr("at most 3000")));
  EXPECT_EQ(read(video("a.mp4"), {.max_pixels = 64 * 48}).told, "");
}

TEST_F(HostileVideo, PixelLimitHoldsForSquarePixelsToo) {
  const std::string bytes = testing::file_content(testing::test_data("media/videos/quarters_wide_pixels.mp4"));
  EXPECT_THAT(read(bytes, {.max_pixels = 64 * 48}).told, AllOf(HasSubstr("128×48"), HasSubstr("square")));
}

TEST_F(HostileVideo, PixelLimitHoldsForLaterFrames) {
  const std::string bytes = testing::file_content(testing::test_data("media/videos/size_changes.h264"));
  const Outcome outcome = read(bytes, {.max_pixels = 64 * 48});
  EXPECT_EQ(outcome.frames, 5);
  EXPECT_THAT(outcome.told, HasSubstr("damaged or missing"));
}

TEST_F(HostileVideo, ClaimOfHugeFramesTakesNoMemory) {
  constexpr std::int64_t kMuch = std::int64_t{400} << 20;
  reset_peak_memory();
  const std::int64_t before = resident_bytes();
  const std::string bytes = testing::file_content(testing::test_data("media/videos/claims_82944x2096.h264"));
  EXPECT_THAT(read(bytes).told, HasSubstr("82944×2096"));
  EXPECT_LT(peak_resident_bytes(), before + kMuch);
}

TEST_F(HostileVideo, CutShortGivesTheFramesBeforeAndSaysSo) {
  const std::string bytes = video("a.mp4");
  ASSERT_EQ(read(bytes).frames, 8);
  ASSERT_EQ(read(bytes).told, "");
  int most = 0;
  for (std::size_t length = 1; length < bytes.size(); length += 97) {
    const Outcome outcome = read(bytes.substr(0, length));
    EXPECT_LE(outcome.frames, 8) << length;
    EXPECT_GE(outcome.frames, most) << length;
    EXPECT_FALSE(outcome.told.empty()) << length;
    if (outcome.frames > 0) {
      EXPECT_THAT(outcome.told, StartsWith("the file ends early, after " + std::to_string(outcome.frames)));
    }
    most = std::max(most, outcome.frames);
  }
  EXPECT_GE(most, 6);
}

TEST_F(HostileVideo, OtherKindsCutInTheMiddleSaySoToo) {
  for (const char* name : {"a.mkv", "a.webm"}) {
    const std::string bytes = video(name, 40);
    const Outcome outcome = read(bytes.substr(0, bytes.size() / 2));
    EXPECT_GT(outcome.frames, 5) << name;
    EXPECT_LT(outcome.frames, 35) << name;
    EXPECT_THAT(outcome.told, HasSubstr("ends early")) << name;
  }
}

TEST_F(HostileVideo, RecordingWithoutIndexIsRefused) {
  std::string bytes = video("a.mp4");
  bytes.replace(bytes.find("moov"), 4, "junk");
  EXPECT_THAT(read(bytes).told, HasSubstr("cut off before its index"));
}

TEST_F(HostileVideo, FramesBehindDamageAreGiven) {
  std::string bytes = video("a.mkv", 20);
  const std::size_t middle = bytes.size() / 2;
  for (std::size_t i = middle; i < middle + 400; ++i) bytes[i] = static_cast<char>(i * 37);
  EXPECT_GE(read(bytes).frames, 15);
}

TEST_F(HostileVideo, DamageNeverCrashes) {
  for (const char* name : {"a.mp4", "a.mkv", "a.webm", "a.gif"}) {
    const std::string bytes = video(name);
    for (std::size_t i = 0; i < bytes.size(); i += bytes.size() / 60) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(~damaged[i]);
      read(damaged, {.max_pixels = 1'000'000});
    }
  }
}

class HostileFile : public HostileVideo, public ::testing::WithParamInterface<const char*> {};

TEST_P(HostileFile, OneDamagedByteIsAnErrorOrAVideo) {
  const std::string bytes = testing::file_content(testing::test_data("media/videos/") / GetParam());
  for (std::size_t i = 0; i < bytes.size(); i += 5) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ '\xff');
    read(damaged, {.max_pixels = 1'000'000});
  }
}

INSTANTIATE_TEST_SUITE_P(Files, HostileFile,
                         ::testing::Values("vfr.mp4", "quarters_pq.mp4", "quarters_wide_pixels.mp4",
                                           "size_changes.h264"));

}  // namespace
}  // namespace unianimate
