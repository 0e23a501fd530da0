#include <gmock/gmock.h>

#include "media/test_images.h"
#include "media/test_videos.h"
#include "support/temporary_folder.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/film/video_writer.h"

namespace unianimate {
namespace {

using ::testing::HasSubstr;
using testing::read_sound;
using testing::Sound;
using testing::test_data;

// One block of the sound encoders, at 44 100 samples a second.
constexpr double kBlockSeconds = 1024.0 / 44100;

std::filesystem::path test_video(const char* name) {
  return test_data("media/videos") / name;
}

// Writes a video with this sound; the trouble it had.
std::string write_clip_with_sound(const std::filesystem::path& path, int frames, double frames_per_second,
                                  const AudioSource& audio) {
  const auto sink = open_video_writer(path, {.width = 64, .height = 48, .frames_per_second = frames_per_second}, audio);
  for (int i = 0; i < frames; ++i) sink->write(testing::waves(64, 48, i));
  sink->finish();
  return sink->trouble();
}

void expect_tone(const Sound& sound, double from, double to) {
  EXPECT_NEAR(sound.onset(), from, kBlockSeconds);
  EXPECT_GT(sound.loudness(from + kBlockSeconds, to - kBlockSeconds), 0.3);
  EXPECT_LT(sound.loudness(0, from - kBlockSeconds), 0.02);
  EXPECT_LT(sound.loudness(to + kBlockSeconds, sound.seconds()), 0.02);
}

struct SoundKind {
  std::string name;
  std::string codec;
  int sample_rate;
};

std::ostream& operator<<(std::ostream& out, const SoundKind& kind) {
  return out << kind.name;
}

class VideoWithSound : public ::testing::TestWithParam<SoundKind> {
 protected:
  [[nodiscard]] std::filesystem::path path() const { return folder_ / GetParam().name; }

  testing::TemporaryFolder folder_;
};

TEST_P(VideoWithSound, KeepsTheToneInItsPlace) {
  EXPECT_EQ(write_clip_with_sound(path(), 12, 8, {.file = test_video("tone.mp4")}), "");
  const Sound sound = read_sound(path());
  EXPECT_EQ(sound.codec, GetParam().codec);
  EXPECT_EQ(sound.sample_rate, GetParam().sample_rate);
  EXPECT_EQ(sound.channels, 1);
  expect_tone(sound, 0.5, 1);
  EXPECT_NEAR(sound.seconds(), 1.5, kBlockSeconds);
  const auto source = open_frame_source(path());
  EXPECT_TRUE(source->info().has_audio);
  EXPECT_EQ(testing::all_frames(*source).size(), 12U);
  EXPECT_EQ(source->trouble(), "");
  EXPECT_EQ(testing::listing(folder_.path()), std::set<std::string>{GetParam().name});
}

TEST_P(VideoWithSound, BeginsWhereAsked) {
  EXPECT_EQ(write_clip_with_sound(path(), 8, 8, {.file = test_video("tone.mp4"), .start_seconds = 0.25}), "");
  expect_tone(read_sound(path()), 0.25, 0.75);
}

TEST_P(VideoWithSound, SoundThatBeginsLateStaysLate) {
  EXPECT_EQ(write_clip_with_sound(path(), 12, 8, {.file = test_video("late_tone.mkv")}), "");
  expect_tone(read_sound(path()), 0.5, 1);
}

TEST_P(VideoWithSound, ShorterSoundJustEnds) {
  EXPECT_EQ(write_clip_with_sound(path(), 80, 8, {.file = test_video("tone.mp4")}), "");
  EXPECT_NEAR(read_sound(path()).seconds(), 2, 2 * kBlockSeconds);
  EXPECT_EQ(write_clip_with_sound(path(), 4, 8, {.file = test_video("tone.mp4"), .start_seconds = 100}), "");
  EXPECT_LT(read_sound(path()).samples.size(), 1000U);
}

TEST_P(VideoWithSound, DamageIsSilentAndTold) {
  EXPECT_THAT(write_clip_with_sound(path(), 16, 8, {.file = test_video("damaged_sound.mp4")}),
              HasSubstr("pieces of the sound"));
  const Sound sound = read_sound(path());
  EXPECT_NEAR(sound.onset(), 0.5, kBlockSeconds);
  EXPECT_GT(sound.loudness(0.55, 0.9), 0.3);
  EXPECT_NEAR(sound.seconds(), 2, kBlockSeconds);
}

TEST_P(VideoWithSound, NoSoundToBeReadIsTold) {
  EXPECT_THAT(write_clip_with_sound(path(), 4, 8, {.file = test_video("vfr.mp4")}), HasSubstr("holds no sound"));
  EXPECT_THAT(write_clip_with_sound(path(), 4, 8, {.file = test_video("none.mp4")}), HasSubstr("none.mp4"));
  EXPECT_EQ(read_sound(path()).codec, "");
  EXPECT_EQ(testing::all_frames(*open_frame_source(path())).size(), 4U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, VideoWithSound,
                         ::testing::Values(SoundKind{"a.mp4", "aac", 44100}, SoundKind{"a.webm", "opus", 48000},
                                           SoundKind{"a.mkv", "flac", 44100}));

TEST(Sound, LosslessKindCutsToTheSample) {
  const testing::TemporaryFolder folder;
  write_clip_with_sound(folder / "a.mkv", 7, 24000.0 / 1001, {.file = test_video("tone.mp4"), .start_seconds = 0.5});
  EXPECT_EQ(read_sound(folder / "a.mkv").samples.size(), 12876U);  // 7 · 1001 / 24000 s
}

TEST(Sound, DamageAnywhereNeverRuinsTheVideo) {
  const testing::TemporaryFolder folder;
  const std::string bytes = testing::file_content(test_video("tone.mp4"));
  for (std::size_t i = 0; i < bytes.size(); i += 61) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ '\xff');
    testing::write_file(folder / "given", damaged);
    write_clip_with_sound(folder / "a.mkv", 4, 8, {.file = folder / "given"});
    EXPECT_EQ(testing::all_frames(*open_frame_source(folder / "a.mkv")).size(), 4U) << i;
  }
}

TEST(Sound, SomeKindsHoldNone) {
  const testing::TemporaryFolder folder;
  EXPECT_THAT(why_no_audio("a.gif"), HasSubstr("GIF"));
  EXPECT_THAT(why_no_audio("frames/"), HasSubstr("folder"));
  EXPECT_THAT(why_no_audio(folder.path()), HasSubstr("folder"));
  for (const char* name : {"a.mp4", "a.MKV", "a.webm"}) EXPECT_EQ(why_no_audio(name), "");
  for (const char* name : {"a.gif", "frames/"}) {
    EXPECT_EQ(write_clip_with_sound(folder.path() / name, 2, 8, {.file = test_video("tone.mp4")}), "");
  }
}

}  // namespace
}  // namespace unianimate
