// Real videos as material: procedural people filmed into files, which the embedded detector finds.
#include "unianimate/training/video_footage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "support/temporary_folder.h"
#include "training/tiny_training.h"
#include "unianimate/core/error.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/detect/detected_poses.h"
#include "unianimate/puppet/clip.h"

namespace unianimate::training {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using unianimate::testing::TemporaryFolder;

/// By the embedded detector.
std::unique_ptr<pose::PoseSource> embedded_poses(Progress& progress) {
  pose::DetectorOptions options;
  options.choice = pose::DetectorChoice::kBlazepose;
  return pose::detected_poses(options, progress);
}

/// What a Progress is told.
class Listener : public Progress {
 public:
  void begin_phase(std::string_view name, std::int64_t) override { phases.emplace_back(name); }
  void note(const std::string& message) override { notes.push_back(message); }

  std::vector<std::string> phases;
  std::vector<std::string> notes;
};

void film(const fs::path& path, std::uint64_t seed, int width, int height, std::int64_t frames) {
  puppet::ClipOptions options;
  options.seed = seed;
  options.width = width;
  options.height = height;
  const puppet::Clip clip(options);
  const auto video = open_video_writer(path, {width, height, options.frames_per_second});
  for (std::int64_t i = 0; i < frames; ++i) video->write(clip.frame(i));
  video->finish();
}

void film_nobody(const fs::path& path, std::int64_t frames) {
  const auto video = open_video_writer(path, {96, 96, 16});
  for (std::int64_t i = 0; i < frames; ++i) video->write(Image(96, 96));
  video->finish();
}

ErrorKind kind_of_failure(const VideoFootageOptions& options, std::string& message) {
  try {
    Progress silent;
    const VideoFootage footage(options, embedded_poses, silent);
  } catch (const Error& error) {
    message = error.what();
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kCancelled;
}

// ---- segments

/// Somebody who stands with their middle at `x`, `height` pixels tall.
pose::Person somebody(double x, double top, double height) {
  pose::Person person;
  for (std::size_t i = 0; i < pose::kBodyPoints; ++i) {
    const double share = static_cast<double>(i) / (pose::kBodyPoints - 1);
    person.keypoints[i] = {{x + (i % 2 == 0 ? -0.15 : 0.15) * height, top + share * height}, 1};
  }
  return person;
}

pose::PoseSequence standing(std::size_t frames, double rate = 16) {
  pose::PoseSequence sequence{640, 480, rate, "blazepose", {}};
  for (std::size_t i = 0; i < frames; ++i) {
    sequence.frames.push_back({static_cast<double>(i) / rate, {somebody(320, 100, 300)}});
  }
  return sequence;
}

constexpr SegmentOptions kPortrait{96, 128, 16};

TEST(VideoSegments, AreOfAboutEqualLengthUpToSixtyFour) {
  const CutVideo cut = cut_video(standing(130), kPortrait);
  std::vector<std::size_t> lengths;
  for (const VideoSegment& segment : cut.segments) lengths.push_back(segment.frames.size());
  EXPECT_EQ(lengths, (std::vector<std::size_t>{44, 44, 42}));
  EXPECT_EQ(cut.segments[1].frames.front(), 44U);
}

TEST(VideoSegments, TakeAtMostTheFramesASecondThatAreAskedFor) {
  const CutVideo cut = cut_video(standing(21, 30), kPortrait);
  ASSERT_THAT(cut.segments, SizeIs(1));
  EXPECT_EQ(cut.segments[0].frames, (std::vector<std::size_t>{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20}));
  EXPECT_THAT(cut_video(standing(10, 8), kPortrait).segments[0].frames, SizeIs(10));
}

TEST(VideoSegments, CropHoldsThePersonAndHasTheAspectRatio) {
  const PixelBox crop = cut_video(standing(10), kPortrait).segments.at(0).crop;
  EXPECT_LT(crop.left, 275);
  EXPECT_GT(crop.left + crop.width, 365);
  EXPECT_LT(crop.top, 100);
  EXPECT_GT(crop.top + crop.height, 400);
  EXPECT_LE(crop.top + crop.height, 480);
  EXPECT_NEAR(static_cast<double>(crop.width) / crop.height, 0.75, 0.01);
}

TEST(VideoSegments, EndWhereThePersonIsUnseenOrElsewhere) {
  pose::PoseSequence sequence = standing(30);
  sequence.frames[10].people.clear();
  for (std::size_t i = 20; i < 30; ++i) sequence.frames[i].people = {somebody(100, 100, 300)};
  const CutVideo cut = cut_video(sequence, kPortrait);
  ASSERT_THAT(cut.segments, SizeIs(3));
  EXPECT_EQ(cut.segments[0].frames.back(), 9U);
  EXPECT_EQ(cut.segments[1].frames.front(), 11U);
  EXPECT_EQ(cut.segments[1].frames.back(), 19U);
  EXPECT_LT(cut.segments[2].crop.left, cut.segments[1].crop.left);
}

TEST(VideoSegments, EndWhereTimeIsMissing) {
  pose::PoseSequence sequence = standing(20);
  for (std::size_t i = 8; i < 20; ++i) sequence.frames[i].seconds += 1;
  EXPECT_THAT(cut_video(sequence, kPortrait).segments, SizeIs(2));
}

TEST(VideoSegments, FollowWhoWalksThroughAWidePicture) {
  pose::PoseSequence sequence = standing(60);
  for (std::size_t i = 0; i < 60; ++i) {
    sequence.frames[i].people = {somebody(60 + 8.5 * static_cast<double>(i), 60, 400)};
  }
  const CutVideo cut = cut_video(sequence, kPortrait);
  EXPECT_GT(cut.segments.size(), 1U);
  for (const VideoSegment& segment : cut.segments) {
    for (const std::size_t frame : segment.frames) {
      const pose::Box box = pose::bounding_box(sequence.frames[frame].people.front().keypoints);
      EXPECT_GE(box.left, segment.crop.left - 1) << frame;
      EXPECT_LE(box.right, segment.crop.left + segment.crop.width + 1) << frame;
    }
  }
}

TEST(VideoSegments, OfSomebodyTooSmallAreCounted) {
  pose::PoseSequence sequence = standing(10);
  for (pose::PoseFrame& frame : sequence.frames) frame.people = {somebody(320, 200, 30)};
  const CutVideo cut = cut_video(sequence, kPortrait);
  EXPECT_TRUE(cut.segments.empty());
  EXPECT_EQ(cut.too_small, 1);
}

// ---- files

class PreparedFile : public ::testing::Test {
 protected:
  void write(const std::string& settings = "as asked", double x = 5) const {
    PreparedVideoWriter writer(path(), {3, 2}, 4, 6, settings);
    writer.write({at::full({3, 6, 4, 3}, 7, at::kByte), std::vector<pose::Keypoints>(3)});
    std::vector<pose::Keypoints> keypoints(2);
    keypoints[1][pose::kNose] = {{x, 2.5}, 0.75};
    writer.write({at::full({2, 6, 4, 3}, 9, at::kByte), keypoints});
    writer.finish();
  }
  [[nodiscard]] PreparedVideo read() const { return {path(), 4, 6, "as asked"}; }
  [[nodiscard]] fs::path path() const { return folder_ / "video.safetensors"; }

 private:
  TemporaryFolder folder_;
};

TEST_F(PreparedFile, GivesBackWhatWasWritten) {
  write();
  const PreparedVideo video = read();
  EXPECT_EQ(video.lengths(), (std::vector<std::int64_t>{3, 2}));
  const PreparedSegment segment = video.load(1);
  EXPECT_TRUE(at::equal(segment.pictures, at::full({2, 6, 4, 3}, 9, at::kByte)));
  EXPECT_EQ(segment.keypoints.at(1)[pose::kNose].at, (pose::Point{5, 2.5}));
  EXPECT_EQ(segment.keypoints.at(1)[pose::kNose].score, 0.75);
}

TEST_F(PreparedFile, OfOtherSettingsOrSizeOrWithImpossiblePointsIsRefused) {
  write("others");
  EXPECT_THROW(static_cast<void>(read()), Error);
  write("as asked", std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(static_cast<void>(read()), Error);
  write("as asked", 1e9);
  EXPECT_THROW(static_cast<void>(read()), Error);
  write();
  EXPECT_THROW(PreparedVideo(path(), 6, 4, "as asked"), Error);
}

TEST_F(PreparedFile, ThatIsCutOffOrNoneIsRefused) {
  write();
  const auto size = fs::file_size(path());
  for (const auto kept : {size - 1, size / 2, std::uintmax_t{9}}) {
    fs::resize_file(path(), kept);
    EXPECT_THROW(static_cast<void>(read()), Error) << kept;
  }
  std::ofstream(path()) << "not at all";
  EXPECT_THROW(static_cast<void>(read()), Error);
}

// ---- the whole way

class Videos : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<TemporaryFolder>();
    fs::create_directories(videos() / "more");
    film(videos() / "a.mp4", 900'001, 192, 256, 40);
    film(videos() / "more" / "b.mkv", 900'002, 320, 240, 24);
  }
  static void TearDownTestSuite() { shared_.reset(); }

  [[nodiscard]] static fs::path videos() { return *shared_ / "videos"; }
  /// Of all tests, so that people are looked for once.
  [[nodiscard]] static VideoFootageOptions options() {
    VideoFootageOptions options;
    options.preparation.paths = {videos()};
    options.preparation.cache = *shared_ / "cache";
    options.preparation.segments = kPortrait;
    options.coherent = 4;
    options.scattered = 3;
    return options;
  }
  static std::vector<fs::path> prepared_files(const fs::path& cache) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(cache)) {
      if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }

  TemporaryFolder own_;  // NOLINT(misc-non-private-member-variables-in-classes)

 private:
  static std::unique_ptr<TemporaryFolder> shared_;
};
std::unique_ptr<TemporaryFolder> Videos::shared_;

TEST_F(Videos, OfAnySizeBecomeFootage) {
  Listener listener;
  const VideoFootage footage(options(), embedded_poses, listener);
  EXPECT_THAT(prepared_files(options().preparation.cache), SizeIs(2));
  ASSERT_GE(footage.size(), 4);
  EXPECT_EQ(footage.size() % 2, 0);
  for (std::int64_t i = 0; i < footage.size(); ++i) {
    const Footage item = footage.load(i);
    EXPECT_EQ(item.pictures.sizes(), (std::vector<std::int64_t>{7, 128, 96, 3}));
    EXPECT_EQ(item.poses.sizes(), item.pictures.sizes());
    EXPECT_EQ(item.coherent, 4);
    EXPECT_GT(item.pictures.to(at::kFloat).std().item<double>(), 10);
    // The figure is cut out with a margin: its bones are over a good part of the picture, not all of it.
    const auto drawn = item.poses.amax(-1).gt(0).to(at::kFloat).mean().item<double>();
    EXPECT_GT(drawn, 0.01) << i;
    EXPECT_LT(drawn, 0.4) << i;
    EXPECT_TRUE(at::equal(item.pictures, footage.load(i).pictures));
  }
}

TEST_F(Videos, AreLookedAtOnce) {
  Listener first;
  const VideoFootage before(options(), embedded_poses, first);
  Listener second;
  const VideoFootage after(options(), embedded_poses, second);
  EXPECT_THAT(second.phases, Not(Contains("find people")));
  EXPECT_THAT(second.phases, Not(Contains("load pose models")));
  EXPECT_THAT(second.phases, Not(Contains("cut out people")));
  EXPECT_EQ(before.description(), after.description());

  // Another size needs other pictures, but nobody has to be found again.
  VideoFootageOptions smaller = options();
  smaller.preparation.segments = {48, 64, 16};
  Listener third;
  const VideoFootage small(smaller, embedded_poses, third);
  EXPECT_THAT(third.phases, Not(Contains("find people")));
  EXPECT_THAT(third.phases, Contains("cut out people"));
  EXPECT_EQ(small.load(0).pictures.size(2), 48);
  EXPECT_NE(small.description(), after.description());
}

TEST_F(Videos, AreFlippedWithLeftAndRightExchanged) {
  Progress silent;
  const auto lengths = prepare_videos(options().preparation, embedded_poses, silent).front().lengths();
  VideoFootageOptions all = options();
  all.coherent = lengths.front();  // every frame, in whatever variant
  all.scattered = 0;
  const VideoFootage footage(all, embedded_poses, silent);
  const Footage plain = footage.load(0);
  const Footage flipped = footage.load(1);
  EXPECT_TRUE(at::equal(flipped.pictures, plain.pictures.flip({2})));
  // The bones lie mirrored, but those of the right arm have its colour on the other side.
  const at::Tensor bones = flipped.poses.amax(-1).gt(0);
  const at::Tensor expected = plain.poses.flip({2}).amax(-1).gt(0);
  EXPECT_GT(bones.eq(expected).to(at::kFloat).mean().item<double>(), 0.97);
  const at::Tensor both = bones.logical_and(expected).unsqueeze(-1);
  const at::Tensor difference =
      (flipped.poses.to(at::kFloat) - plain.poses.flip({2}).to(at::kFloat)).abs() * both.to(at::kFloat);
  EXPECT_GT(difference.sum().item<double>() / both.sum().item<double>(), 30);

  all.flips = false;
  const VideoFootage unflipped(all, embedded_poses, silent);
  EXPECT_EQ(unflipped.size() * 2, footage.size());
  EXPECT_TRUE(at::equal(unflipped.load(0).pictures, plain.pictures));
  EXPECT_NE(unflipped.description(), footage.description());
}

TEST_F(Videos, ThatAreDamagedInTheCacheAreMadeAgain) {
  const fs::path cache = own_ / "cache";
  Progress silent;
  const VideoFootage before(options(), embedded_poses, silent);
  fs::copy(options().preparation.cache, cache);
  const std::vector<fs::path> files = prepared_files(cache);
  for (const fs::path& file : files) fs::resize_file(file, fs::file_size(file) / 2);
  VideoFootageOptions here = options();
  here.preparation.cache = cache;
  Listener listener;
  const VideoFootage after(here, embedded_poses, listener);
  EXPECT_THAT(listener.notes, Contains(AllOf(HasSubstr("made again"), HasSubstr(files.front().string()))));
  EXPECT_EQ(after.description(), before.description());
  EXPECT_TRUE(at::equal(after.load(1).pictures, before.load(1).pictures));
}

TEST_F(Videos, ThatCannotBeUsedAreNamedWithTheReason) {
  fs::create_directories(own_ / "mixed");
  fs::copy(videos() / "more" / "b.mkv", own_ / "mixed" / "good.mkv");
  fs::copy(videos() / "more" / "b.mkv", own_ / "mixed" / "the_same.mkv");
  film_nobody(own_ / "mixed" / "empty.mp4", 6);
  film(own_ / "mixed" / "short.mp4", 900'001, 192, 256, 1);
  film(own_ / "mixed" / "tiny.mp4", 900'001, 40, 54, 12);
  std::ofstream(own_ / "mixed" / "letter.mp4") << "Dear reader, this is no video.";
  std::ofstream(own_ / "mixed" / ".hidden") << "not looked at";
  VideoFootageOptions here = options();
  here.preparation.paths = {own_ / "mixed"};
  Listener listener;
  const VideoFootage footage(here, embedded_poses, listener);
  EXPECT_GE(footage.size(), 2);
  const auto told = [](const char* name, const char* reason) {
    return Contains(AllOf(HasSubstr(name), HasSubstr("left out"), HasSubstr(reason)));
  };
  EXPECT_THAT(listener.notes, told("empty.mp4", "nobody was found"));
  EXPECT_THAT(listener.notes, told("short.mp4", "only one frame"));
  EXPECT_THAT(listener.notes, told("letter.mp4", "video"));
  EXPECT_THAT(listener.notes, told("the_same.mkv", "the same as another one"));
  EXPECT_THAT(listener.notes, told("tiny.mp4", ""));
  EXPECT_THAT(listener.notes, Not(Contains(HasSubstr("hidden"))));
}

TEST_F(Videos, OfWhichNoneIsUsableAreAnError) {
  fs::create_directories(own_ / "useless");
  std::ofstream(own_ / "useless" / "letter.mp4") << "Dear reader, this is no video.";
  VideoFootageOptions here = options();
  std::string message;
  here.preparation.paths = {own_ / "useless"};
  EXPECT_EQ(kind_of_failure(here, message), ErrorKind::kInput);
  EXPECT_THAT(message, HasSubstr((own_ / "useless").string()));
  here.preparation.paths = {own_ / "nowhere"};
  EXPECT_EQ(kind_of_failure(here, message), ErrorKind::kInput);
  EXPECT_THAT(message, HasSubstr((own_ / "nowhere").string()));
  here = options();
  here.coherent = 60;
  EXPECT_EQ(kind_of_failure(here, message), ErrorKind::kInput);
  EXPECT_THAT(message, HasSubstr("60 frames"));
}

TEST_F(Videos, NeedSomebodyWhoLooksForPeople) {
  Progress silent;
  try {
    const VideoFootage footage(options(), {}, silent);
    FAIL() << "nobody looked";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
    EXPECT_THAT(error.what(), HasSubstr("cannot look for people in videos"));
  }
}

TEST_F(Videos, NeedACacheThatCanBeWritten) {
  std::ofstream(own_ / "file") << "no folder";
  VideoFootageOptions here = options();
  std::string message;
  here.preparation.cache = own_ / "file" / "cache";
  EXPECT_EQ(kind_of_failure(here, message), ErrorKind::kEnvironment);
  EXPECT_THAT(message, HasSubstr(here.preparation.cache.string()));
}

TEST_F(Videos, MayBeFoldersOfPictures) {
  fs::create_directories(own_ / "clips" / "one");
  puppet::ClipOptions person;
  person.seed = 900'003;
  const puppet::Clip clip(person);
  for (int i = 0; i < 6; ++i) {
    write_png(own_ / "clips" / "one" / (std::to_string(i) + ".png"), clip.frame(i));
  }
  VideoFootageOptions here = options();
  here.preparation.paths = {own_ / "clips"};
  Progress silent;
  EXPECT_EQ(VideoFootage(here, embedded_poses, silent).size(), 2);
}

// ---- through the configuration

std::string with_data(const std::string& data) {
  return "task: autoencoder\noutput: out\nmodel: {sizes: model.json}\nsize: [32, 48]\nsteps: 2\nbatch_size: 1\n"
         "validate_every: 0\nsample_every: 0\nvalidation: {count: 1}\ndata: {" +
         data + "}\n";
}

TEST(VideoSettings, AreReadFromTheConfiguration) {
  const TrainConfig config = parse_train_config(
      with_data("videos: [films, /a/b.mp4], frame_rate: 12, flips: false, coherent: 2, person: largest"), "c.yaml",
      "root");
  ASSERT_TRUE(config.videos.has_value());
  const VideoPreparationOptions& preparation = config.videos->preparation;
  EXPECT_EQ(preparation.paths, (std::vector<fs::path>{"root/films", "/a/b.mp4"}));
  EXPECT_EQ(preparation.cache, fs::path("root/out/data"));
  EXPECT_EQ(preparation.segments.width, 32);
  EXPECT_EQ(preparation.segments.height, 48);
  EXPECT_EQ(preparation.segments.frame_rate, 12);
  EXPECT_EQ(preparation.person.kind, pose::PersonChoice::Kind::kLargest);
  EXPECT_FALSE(config.videos->flips);
  EXPECT_EQ(config.videos->coherent, 2);
  EXPECT_FALSE(config.kept_aside_videos.has_value());
}

TEST(VideoSettings, ThatMakeNoSenseAreNamed) {
  const auto refusal = [](const std::string& data) -> std::string {
    try {
      static_cast<void>(parse_train_config(with_data(data), "c.yaml", {}));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "nothing was refused";
  };
  EXPECT_THAT(refusal("videos: [films], first: 3"), HasSubstr("data.first"));
  EXPECT_THAT(refusal("videos: [films], count: 3"), HasSubstr("data.count"));
  EXPECT_THAT(refusal("videos: [films], flip: true"), HasSubstr("data.flip"));
  EXPECT_THAT(refusal("count: 3, flips: true"), HasSubstr("data.flips"));
  EXPECT_THAT(refusal("videos: films"), HasSubstr("data.videos"));
  EXPECT_THAT(refusal("videos: []"), HasSubstr("empty"));
  EXPECT_THAT(refusal("videos: [films], frame_rate: 0"), HasSubstr("frame_rate"));
  EXPECT_THAT(refusal("videos: [films], person: nobody"), HasSubstr("person"));
  EXPECT_THAT(refusal("videos: [films], coherent: 100"), HasSubstr("moments"));
}

TEST_F(Videos, AreTrainedOnAndNotExchangedHalfWay) {
  testing::write_tiny_sizes(own_ / "model.json");
  const std::string given = "videos: [" + videos().string() + "], cache: " + options().preparation.cache.string();
  Progress silent;
  const TrainingReport report = testing::run(with_data(given), own_.path(), silent, embedded_poses);
  EXPECT_TRUE(report.finished);
  EXPECT_GT(report.last_loss, 0);
  try {
    testing::run(with_data(given + ", flips: false"), own_.path(), silent, embedded_poses);
    ADD_FAILURE() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("segments of 2 videos"));
  }
}

}  // namespace
}  // namespace unianimate::training
