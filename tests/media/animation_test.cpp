#include "unianimate/media/pictures/animation.h"

#include <gmock/gmock.h>

#include <bit>

#include "media/encoded_video.h"
#include "media/test_images.h"
#include "media/test_videos.h"
#include "support/temporary_folder.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate {
namespace {

using testing::all_frames;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using testing::Encoding;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::quarters;
using testing::times_of;
using testing::write_encoded;
using testing::write_file;

constexpr int kWidth = 64;
constexpr int kHeight = 48;

/// A grey that says which frame it is.
Image grey(int frame) {
  Image image(kWidth, kHeight);
  std::ranges::fill(image.pixels, static_cast<std::uint8_t>(40 + 20 * frame));
  return image;
}

int frame_of(const Image& image) {
  return static_cast<int>(std::lround((image.row(kHeight / 2)[kWidth] - 40) / 20.0));
}

const Encoding& container(const std::string& name) {
  const auto all = testing::every_container();
  return *std::ranges::find(all, name, &Encoding::name);
}

class Animation : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path encoded(const std::string& name, int frames) const {
    std::vector<Image> pictures;
    std::vector<double> seconds;
    for (int i = 0; i < frames; ++i) {
      pictures.push_back(grey(i));
      seconds.push_back(i / 8.0);
    }
    write_encoded(folder_ / name, container(name), pictures, seconds, 8);
    return folder_ / name;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Animation, IsToldFromAStillPictureByItsContent) {
  EXPECT_EQ(animation_kind(encoded("apng", 3)), AnimationKind::kPng);
  EXPECT_EQ(animation_kind(encoded("webp", 3)), AnimationKind::kWebp);
  EXPECT_EQ(animation_kind(encoded("gif", 3)), AnimationKind::kGif);
  EXPECT_EQ(animation_kind(encoded("mjpeg", 3)), AnimationKind::kJpeg);
  EXPECT_EQ(animation_kind(encoded("avif", 3)), AnimationKind::kSequence);
  EXPECT_EQ(animation_kind(encoded("gif", 1)), AnimationKind::kNone);
  EXPECT_EQ(animation_kind(encoded("mjpeg", 1)), AnimationKind::kNone);
  EXPECT_EQ(animation_kind(encoded("mov", 3)), AnimationKind::kNone);
  EXPECT_EQ(animation_kind(folder_ / "none"), AnimationKind::kNone);
  EXPECT_EQ(animation_kind(folder_.path()), AnimationKind::kNone);
  for (const char* still : {"420.jpg", "progressive_422.jpg", "rgba.png", "lossy_alpha.webp", "orientation6.jpg"}) {
    EXPECT_FALSE(is_animation(testing::test_data("media") / still)) << still;
  }
}

TEST_F(Animation, BrandsTellSequencesOfHeicAndAvif) {
  using namespace std::string_literals;
  write_file(folder_ / "sequence", "\0\0\0\x18"s + "ftypavis\0\0\0\0avifmsf1"s);
  write_file(folder_ / "still", "\0\0\0\x18"s + "ftypavif\0\0\0\0avifmif1"s);
  EXPECT_EQ(animation_kind(folder_ / "sequence"), AnimationKind::kSequence);
  EXPECT_EQ(animation_kind(folder_ / "still"), AnimationKind::kNone);
}

TEST_F(Animation, ShortStreamsOfJpegPicturesAreMotions) {
  std::string stream;
  for (int frame = 0; frame < 3; ++frame) stream += encode_jpeg(grey(frame));
  write_file(folder_ / "stream.jpg", stream);
  const auto source = open_frame_source(folder_ / "stream.jpg");
  std::vector<int> frames;
  while (const auto frame = source->next()) frames.push_back(frame_of(frame->image));
  EXPECT_THAT(frames, ElementsAre(0, 1, 2));
}

TEST_F(Animation, PagesBehindTheFirstOfATiffFileAreTold) {
  using namespace std::string_literals;
  write_file(folder_ / "one.tif", "II*\0\x08\0\0\0\x01\0"s + std::string(12, 'e') + "\0\0\0\0"s);
  write_file(folder_ / "two.tif", "II*\0\x08\0\0\0\x01\0"s + std::string(12, 'e') + "\x1a\0\0\0"s);
  write_file(folder_ / "big_endian.tif", "MM\0*\0\0\0\x0a..\0\x01"s + std::string(12, 'e') + "\0\0\x01\0"s);
  EXPECT_FALSE(has_more_pages(folder_ / "one.tif"));
  EXPECT_TRUE(has_more_pages(folder_ / "two.tif"));
  EXPECT_TRUE(has_more_pages(folder_ / "big_endian.tif"));
  EXPECT_FALSE(has_more_pages(folder_ / "none.tif"));
}

// What is behind the last byte that is needed does not matter, and what is cut before it is no animation.
TEST_F(Animation, CutShortIsNoError) {
  for (const char* name : {"apng", "webp", "gif", "mjpeg"}) {
    const std::string bytes = testing::file_content(encoded(name, 2));
    bool before = false;
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      write_file(folder_ / "cut", bytes.substr(0, length));
      const bool now = is_animation(folder_ / "cut");
      EXPECT_GE(now, before) << name << ' ' << length;
      before = now;
    }
    EXPECT_TRUE(before) << name;
  }
}

class AnimationAsMotion : public Animation, public ::testing::WithParamInterface<const char*> {};

TEST_P(AnimationAsMotion, GivesEveryFrameAtItsTime) {
  const auto source = open_frame_source(encoded(GetParam(), 6));
  EXPECT_NEAR(source->info().frames_per_second, 8, 0.1);
  EXPECT_EQ(source->info().frame_count, 6);
  EXPECT_EQ(source->info().width, kWidth);
  EXPECT_THAT(source->info().notes, IsEmpty());
  const auto frames = all_frames(*source);
  ASSERT_EQ(frames.size(), 6U);
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR(frames[static_cast<std::size_t>(i)].seconds, i / 8.0, 0.011) << i;
    EXPECT_EQ(frame_of(frames[static_cast<std::size_t>(i)].image), i);
  }
  EXPECT_EQ(source->trouble(), "");
}

TEST_P(AnimationAsMotion, IsCut) {
  const auto source = open_frame_source(encoded(GetParam(), 8), {.start_seconds = 0.3, .end_seconds = 0.7});
  EXPECT_EQ(source->info().frame_count, 3);
  const auto frames = all_frames(*source);
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frame_of(frames.front().image), 3);
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { open_frame_source(folder_ / GetParam(), {.start_seconds = 60}); }),
              HasSubstr("--start 60 is behind the end, 1"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, AnimationAsMotion, ::testing::Values("apng", "webp", "gif", "avif"));

TEST_F(Animation, OfOneFrameIsTold) {
  for (const char* name : {"gif", "mov"}) {
    const auto source = open_frame_source(encoded(name, 1));
    EXPECT_THAT(source->info().notes, ElementsAre(HasSubstr("holds one frame"))) << name;
    EXPECT_EQ(all_frames(*source).size(), 1U) << name;
  }
}

TEST_F(Animation, JpegPicturesInARowHaveTheRateOfFolders) {
  const auto source = open_frame_source(encoded("mjpeg", 5), {.folder_frames_per_second = 10});
  EXPECT_EQ(source->info().frames_per_second, 10);
  EXPECT_THAT(source->info().notes, ElementsAre(HasSubstr("does not say when its pictures are shown; 10 a second")));
  const auto frames = all_frames(*source);
  EXPECT_THAT(times_of(frames), ElementsAre(0, DoubleNear(0.1, 1e-4), DoubleNear(0.2, 1e-4), DoubleNear(0.3, 1e-4),
                                            DoubleNear(0.4, 1e-4)));
  EXPECT_EQ(frame_of(frames.back().image), 4);
}

/// The picture with a segment behind its first marker.
std::string with_segment(const std::string& jpeg, const std::string& segment) {
  return jpeg.substr(0, 2) + segment + jpeg.substr(2);
}

// Stereo pictures, and previews that cameras leave behind a picture: the first is the picture.
TEST_F(Animation, OtherPicturesBehindAJpegAreNoMotion) {
  using namespace std::string_literals;
  const std::string large = encode_jpeg(quarters(64, 48));
  const std::string small = encode_jpeg(quarters(32, 24));
  write_file(folder_ / "views.mpo", with_segment(large, "\xff\xe2\0\x08MPF\0\0\0"s) + large);
  write_file(folder_ / "preview.jpg", large + small);
  write_file(folder_ / "film.jpg", large + testing::file_content(encoded("mov", 3)));
  for (const char* name : {"views.mpo", "preview.jpg", "film.jpg"}) {
    EXPECT_FALSE(is_animation(folder_ / name)) << name;
    EXPECT_EQ(all_frames(*open_frame_source(folder_ / name)).size(), 1U) << name;
  }
  write_file(folder_ / "stream", large + std::string(3, '\0') + large);
  EXPECT_TRUE(is_animation(folder_ / "stream"));
}

TEST_F(Animation, WebpFramesThatLastNoTimeLastAsInBrowsers) {
  std::string bytes = testing::file_content(encoded("webp", 3));
  for (std::size_t at = bytes.find("ANMF"); at != std::string::npos; at = bytes.find("ANMF", at + 1)) {
    constexpr std::size_t kDuration = 20;
    bytes.replace(at + kDuration, 3, std::string(3, '\0'));
  }
  write_file(folder_ / "a.webp", bytes);
  EXPECT_THAT(times_of(all_frames(*open_frame_source(folder_ / "a.webp"))), ElementsAre(0, 0.1, 0.2));
}

TEST_F(Animation, DamagedWebpIsAnErrorOrFrames) {
  const std::string bytes = testing::file_content(encoded("webp", 4));
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ '\xff');
    write_file(folder_ / "a.webp", damaged);
    try {
      const auto source = open_frame_source(folder_ / "a.webp", {.limits = {.max_pixels = 1'000'000}});
      EXPECT_LE(all_frames(*source).size(), 4U);
    } catch (const Error& problem) {
      EXPECT_EQ(problem.kind(), ErrorKind::kInput) << problem.what();
    }
  }
}

TEST_F(Animation, OfAFolderGivesItsFirstPictureAndIsTold) {
  for (const char* name : {"apng", "webp"}) {
    const testing::TemporaryFolder pictures;
    std::filesystem::copy_file(encoded(name, 3), pictures / (name == std::string("apng") ? "1.png" : "1.webp"));
    write_png(pictures / "2.png", grey(5));
    const auto source = open_frame_source(pictures.path());
    const auto frames = all_frames(*source);
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frame_of(frames[0].image), 0);
    EXPECT_EQ(frame_of(frames[1].image), 5);
    EXPECT_THAT(source->trouble(), HasSubstr("1 of the folder's pictures are animated, first 1."));
  }
}

class Container : public Animation, public ::testing::WithParamInterface<Encoding> {};

// Whatever container FFmpeg may open is opened, and its frames come in order with the right times.
TEST_P(Container, GivesItsFrames) {
  const Encoding& encoding = GetParam();
  std::vector<Image> pictures;
  std::vector<double> seconds;
  for (int i = 0; i < 8; ++i) {
    pictures.push_back(grey(i));
    seconds.push_back(i / 25.0);
  }
  write_encoded(folder_ / "a", encoding, pictures, seconds);
  const auto source = open_frame_source(folder_ / "a", {.folder_frames_per_second = 25});
  EXPECT_NEAR(source->info().frames_per_second, 25, 0.01);
  const auto frames = all_frames(*source);
  ASSERT_EQ(frames.size(), 8U);
  EXPECT_EQ(source->info().frame_count, 8);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(frame_of(frames[i].image), static_cast<int>(i));
    EXPECT_NEAR(frames[i].seconds, static_cast<double>(i) / 25, 2e-3);
  }
  EXPECT_EQ(source->trouble(), "");
}

INSTANTIATE_TEST_SUITE_P(Every, Container,
                         ::testing::ValuesIn(testing::every_container().begin(), testing::every_container().end()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace unianimate
