// Extraction with detectors that are made up: what goes in, comes out in order, whatever fails on the way.
#include "unianimate/pose/detect/extraction.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <mutex>
#include <thread>

#include "pose/walker.h"
#include "support/expect_to_end.h"
#include "unianimate/core/error.h"

namespace unianimate::pose {
namespace {

using namespace std::chrono_literals;

constexpr int kWidth = 64;
constexpr int kHeight = 48;
constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

/// Frames whose first bytes say which they are.
class NumberedFrames final : public FrameSource {
 public:
  explicit NumberedFrames(std::size_t frames, std::size_t fails_at = kNever) : frames_(frames), fails_at_(fails_at) {
    info_.width = kWidth;
    info_.height = kHeight;
    info_.frames_per_second = 25;
  }
  [[nodiscard]] const FrameSourceInfo& info() const override { return info_; }
  std::optional<TimedFrame> next() override {
    if (given == fails_at_) throw Error(ErrorKind::kInput, "the source is broken");
    if (given == frames_) return std::nullopt;
    TimedFrame frame{Image(kWidth, kHeight), static_cast<double>(given) / 25};
    frame.image.pixels[0] = static_cast<std::uint8_t>(given % 256);
    frame.image.pixels[1] = static_cast<std::uint8_t>(given / 256);
    ++given;
    return frame;
  }
  [[nodiscard]] std::string trouble() const override { return {}; }

  std::atomic<std::size_t> given = 0;

 private:
  FrameSourceInfo info_;
  std::size_t frames_;
  std::size_t fails_at_;
};

std::size_t number_of(const Image& picture) {
  return picture.pixels[0] + std::size_t{256} * picture.pixels[1];
}

/// Finds one walker in each frame, whose nose tells the frame's number in both coordinates.
struct Behaviour {
  std::function<void(std::size_t)> find = [](std::size_t) {};
  std::function<void(std::size_t)> estimate = [](std::size_t) {};
  std::function<void(std::size_t, Keypoints&)> change = [](std::size_t, Keypoints&) {};
  std::size_t people = 1;
};

class MadeUpFinder final : public PeopleFinder {
 public:
  explicit MadeUpFinder(const Behaviour& behaviour) : behaviour_(behaviour) {}
  std::vector<FoundPerson> find(const Image& picture) override {
    const std::size_t number = number_of(picture);
    EXPECT_EQ(number, expected_++) << "frames come in order";
    behaviour_.find(number);
    return std::vector<FoundPerson>(behaviour_.people);
  }

 private:
  const Behaviour& behaviour_;
  std::size_t expected_ = 0;
};

class MadeUpEstimator final : public KeypointEstimator {
 public:
  explicit MadeUpEstimator(const Behaviour& behaviour) : behaviour_(behaviour) {}
  Keypoints estimate(const Image& picture, const FoundPerson& /*person*/) override {
    const std::size_t number = number_of(picture);
    behaviour_.estimate(number);
    const auto place = static_cast<double>(number);
    Keypoints keypoints = testing::walker({}, {place, 0}, 0);
    keypoints[kNose].at = {place, place};
    behaviour_.change(number, keypoints);
    return keypoints;
  }

 private:
  const Behaviour& behaviour_;
};

class MadeUpDetector final : public PoseDetector {
 public:
  explicit MadeUpDetector(Behaviour behaviour) : behaviour_(std::move(behaviour)) {}
  [[nodiscard]] std::string name() const override { return "made up"; }
  [[nodiscard]] std::unique_ptr<PeopleFinder> make_finder() const override {
    return std::make_unique<MadeUpFinder>(behaviour_);
  }
  [[nodiscard]] std::unique_ptr<KeypointEstimator> make_estimator(EstimatorEffort /*effort*/) const override {
    return std::make_unique<MadeUpEstimator>(behaviour_);
  }

 private:
  Behaviour behaviour_;
};

/// Remembers, and cancels after some steps.
class Watch : public Progress {
 public:
  explicit Watch(std::int64_t most = std::numeric_limits<std::int64_t>::max()) : most_(most) {}
  void step(std::int64_t done) override { steps.push_back(done); }
  [[nodiscard]] bool cancelled() const override { return static_cast<std::int64_t>(steps.size()) >= most_; }

  std::vector<std::int64_t> steps;

 private:
  std::int64_t most_;
};

PoseSequence extract(std::size_t frames, const Behaviour& behaviour, int threads) {
  NumberedFrames source(frames);
  Watch progress;
  return extract_poses(source, MadeUpDetector(behaviour), threads, progress);
}

void pause(std::size_t number) {
  std::this_thread::sleep_for(std::chrono::microseconds((number * 7919) % 5 * 300));
}

TEST(ExtractPoses, KeepsTheOrderWithAnyNumberOfThreads) {
  for (const int threads : {0, 1, 2, 3, 8}) {
    NumberedFrames source(300);
    Watch progress;
    const PoseSequence found = extract_poses(source, MadeUpDetector({.estimate = pause}), threads, progress);
    EXPECT_EQ(found.width, kWidth);
    EXPECT_EQ(found.height, kHeight);
    EXPECT_EQ(found.frames_per_second, 25);
    EXPECT_EQ(found.detector, "made up");
    ASSERT_EQ(found.frames.size(), 300);
    for (std::size_t i = 0; i < found.frames.size(); ++i) {
      EXPECT_EQ(found.frames[i].seconds, static_cast<double>(i) / 25);
      ASSERT_EQ(found.frames[i].people.size(), 1);
      EXPECT_EQ(found.frames[i].people.front().keypoints[kNose].at.x, static_cast<double>(i));
      EXPECT_EQ(found.frames[i].people.front().track, 0);
      EXPECT_FALSE(found.frames[i].people.front().filled);
    }
    ASSERT_EQ(progress.steps.size(), 300);
    for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(progress.steps[i], static_cast<std::int64_t>(i + 1));
  }
}

TEST(ExtractPoses, TakesVideosOfNoAndOfOneFrame) {
  EXPECT_TRUE(extract(0, {}, 2).frames.empty());
  EXPECT_EQ(extract(1, {}, 2).frames.size(), 1);
}

TEST(ExtractPoses, LeavesFramesOfNobodyEmpty) {
  const PoseSequence found = extract(50, {.people = 0}, 2);
  ASSERT_EQ(found.frames.size(), 50);
  for (const PoseFrame& frame : found.frames) EXPECT_TRUE(frame.people.empty());
}

TEST(ExtractPoses, LeavesOutWhoHasFewerThanThreeBodyPoints) {
  const PoseSequence found =
      extract(4,
              {.change = [](std::size_t number,
                            Keypoints& keypoints) { testing::hide(keypoints, number, kBodyPoints - number); }},
              2);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(found.frames[i].people.size(), i < 3 ? 0 : 1) << i;
}

TEST(ExtractPoses, LeavesOutWhoHasNumbersThatAreNone) {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  const PoseSequence found = extract(6,
                                     {.change =
                                          [&](std::size_t number, Keypoints& keypoints) {
                                            if (number == 1) keypoints[kNose].at.x = nan;
                                            if (number == 2) keypoints[kLeftHand].at.y = infinity;
                                            if (number == 3) keypoints[kFace + 5] = {{nan, nan}, 0};
                                            if (number == 4) keypoints[kRightHeel].score = nan;
                                          }},
                                     2);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(found.frames[i].people.size(), i == 0 || i == 5 ? 1 : 0) << i;
}

TEST(ExtractPoses, KeepsAFewFramesInMemoryAlone) {
  NumberedFrames source(400);
  Watch progress;
  std::mutex mutex;
  std::size_t finished = 0;
  std::size_t most = 0;
  const MadeUpDetector detector({.estimate = [&](std::size_t) {
    std::this_thread::sleep_for(200us);
    const std::scoped_lock lock(mutex);
    most = std::max(most, source.given - finished++);
  }});
  static_cast<void>(extract_poses(source, detector, 2, progress));
  EXPECT_LT(most, 24);
}

constexpr std::array kFailing{std::size_t{0}, std::size_t{1}, std::size_t{20}, std::size_t{99}};

void expect_broken(const Behaviour& behaviour, std::size_t source_fails_at, int threads) {
  testing::expect_to_end([&] {
    NumberedFrames source(100, source_fails_at);
    Watch progress;
    try {
      static_cast<void>(extract_poses(source, MadeUpDetector(behaviour), threads, progress));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_NE(std::string(error.what()).find("is broken"), std::string::npos);
    }
  });
}

std::function<void(std::size_t)> breaks_at(std::size_t frame) {
  return [frame](std::size_t number) {
    if (number == frame) throw Error(ErrorKind::kInput, "frame {} is broken", number);
  };
}

TEST(ExtractPoses, FailsAsTheSourceFails) {
  for (const std::size_t frame : kFailing) {
    for (const int threads : {1, 2, 4}) {
      expect_broken({}, frame, threads);
      expect_broken({.estimate = pause}, frame, threads);
    }
  }
}

TEST(ExtractPoses, FailsAsTheFinderFails) {
  for (const std::size_t frame : kFailing) {
    for (const int threads : {1, 2, 4}) expect_broken({.find = breaks_at(frame), .estimate = pause}, kNever, threads);
  }
}

TEST(ExtractPoses, FailsAsAnEstimatorFails) {
  for (const std::size_t frame : kFailing) {
    for (const int threads : {1, 2, 4}) expect_broken({.find = pause, .estimate = breaks_at(frame)}, kNever, threads);
  }
}

TEST(ExtractPoses, FailsOnceWhereEverythingFails) {
  for (int round = 0; round < 20; ++round) expect_broken({.find = breaks_at(5), .estimate = breaks_at(4)}, 6, 3);
}

TEST(ExtractPoses, StopsWhenCancelled) {
  for (const std::int64_t steps : {0, 1, 7, 99}) {
    for (const int threads : {1, 2, 4}) {
      testing::expect_to_end([&] {
        NumberedFrames source(100000);
        Watch progress(steps);
        try {
          static_cast<void>(extract_poses(source, MadeUpDetector({.estimate = pause}), threads, progress));
          ADD_FAILURE() << "nothing was thrown";
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
        }
        EXPECT_LT(source.given, 200);
      });
    }
  }
}

TEST(ExtractPeople, PutsTheMainPersonFirst) {
  Behaviour behaviour{.people = 3};
  std::size_t calls = 0;
  behaviour.change = [&](std::size_t, Keypoints& keypoints) {
    const double size = calls++ == 1 ? 1 : 0.2;
    keypoints = testing::walker(testing::scaled({}, size), {32, 10}, 0);
    keypoints[kNose].score = size;
  };
  const std::vector<Person> people = extract_people(Image(kWidth, kHeight), MadeUpDetector(behaviour));
  ASSERT_EQ(people.size(), 3);
  EXPECT_EQ(people.front().keypoints[kNose].score, 1);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(people[i].track, static_cast<std::int64_t>(i));
  EXPECT_TRUE(extract_people(Image(kWidth, kHeight), MadeUpDetector({.people = 0})).empty());
}

}  // namespace
}  // namespace unianimate::pose
