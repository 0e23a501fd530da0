#include "unianimate/pose/detect/extraction.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <thread>
#include <variant>

#include "unianimate/core/bounded_queue.h"
#include "unianimate/core/threads.h"
#include "unianimate/pose/align/tracking.h"

namespace unianimate::pose {

namespace {

constexpr std::size_t kQueuedFrames = 4;
/// Of all frames on their way.
constexpr std::size_t kFrameBytes = std::size_t{256} << 20;

/// As many as have room, and at least one.
std::size_t most_frames(const FrameSourceInfo& info) {
  const std::size_t bytes =
      static_cast<std::size_t>(info.width) * static_cast<std::size_t>(info.height) * Image::kChannels;
  return std::max<std::size_t>(1, kFrameBytes / std::max<std::size_t>(1, bytes));
}

/// A frame on its way, with who was found in it.
struct FoundFrame {
  std::size_t index = 0;
  Image picture;
  std::vector<FoundPerson> people;
};

bool is_person(const Keypoints& keypoints) {
  constexpr std::ptrdiff_t kFewest = 3;
  const auto body = std::span(keypoints).first(kBodyPoints);
  return std::ranges::count_if(body, &Keypoint::seen) >= kFewest &&
         std::ranges::all_of(keypoints, [](const Keypoint& p) {
           return std::isfinite(p.at.x) && std::isfinite(p.at.y) && std::isfinite(p.score);
         });
}

std::vector<Sighting> estimate(const FoundFrame& frame, KeypointEstimator& estimator) {
  std::vector<Sighting> sightings;
  for (const FoundPerson& person : frame.people) {
    Keypoints keypoints = estimator.estimate(frame.picture, person);
    // SimCC's maxima are not bound to be probabilities.
    for (Keypoint& point : keypoints) point.score = std::clamp(point.score, 0.0, 1.0);
    if (is_person(keypoints)) sightings.push_back({keypoints, appearance_of(frame.picture, keypoints)});
  }
  return sightings;
}

/// Threads decode, find and estimate; whichever fails first stops the others.
class Extraction {
 public:
  Extraction(FrameSource& source, const PoseDetector& detector, int threads, Progress& progress)
      : source_(source),
        detector_(detector),
        progress_(progress),
        threads_(threads),
        on_their_way_(most_frames(source.info())) {}

  void run() {
    {
      std::vector<std::jthread> workers;
      guarded([&] {
        workers.emplace_back([this] { guarded([this] { decode(); }); });
        for (int i = 0; i < threads_; ++i) {
          workers.emplace_back([this] { guarded([this] { estimate_frames(); }); });
        }
        find();
      });
      found_.close();
    }
    if (failure_) std::rethrow_exception(failure_);
  }

  std::vector<double> seconds;
  std::vector<std::vector<Sighting>> sightings;

 private:
  template <typename Work>
  void guarded(const Work& work) {
    try {
      work();
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      decoded_.close();
      found_.close();
      on_their_way_.close();
    }
  }

  void decode() {
    while (on_their_way_.push({})) {
      std::optional<TimedFrame> frame = source_.next();
      if (!frame) break;
      if (!decoded_.push(std::move(*frame))) return;
    }
    decoded_.close();
  }

  void find() {
    const auto finder = detector_.make_finder();
    std::size_t index = 0;
    while (std::optional<TimedFrame> frame = decoded_.pop()) {
      progress_.throw_if_cancelled();
      std::vector<FoundPerson> people = finder->find(frame->image);
      seconds.push_back(frame->seconds);
      if (!found_.push({index++, std::move(frame->image), std::move(people)})) return;
      progress_.step(static_cast<std::int64_t>(index));
    }
  }

  void estimate_frames() {
    const auto estimator = detector_.make_estimator(EstimatorEffort::kFrames);
    while (std::optional<FoundFrame> frame = found_.pop()) {
      std::vector<Sighting> people = estimate(*frame, *estimator);
      const std::size_t index = frame->index;
      frame.reset();
      on_their_way_.pop();
      const std::scoped_lock lock(mutex_);
      if (sightings.size() <= index) sightings.resize(index + 1);
      sightings[index] = std::move(people);
    }
  }

  FrameSource& source_;
  const PoseDetector& detector_;
  Progress& progress_;
  int threads_;
  BoundedQueue<TimedFrame> decoded_{kQueuedFrames};
  BoundedQueue<FoundFrame> found_{kQueuedFrames};
  /// One for each frame that is being decoded or is decoded and not yet done with.
  BoundedQueue<std::monostate> on_their_way_;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

std::vector<PoseFrame> tracked_frames(const std::vector<double>& seconds,
                                      const std::vector<std::vector<Sighting>>& sightings, int width, int height) {
  const std::vector<std::vector<std::int64_t>> tracks = assign_tracks(sightings, width, height);
  std::vector<PoseFrame> frames;
  for (std::size_t i = 0; i < sightings.size(); ++i) {
    PoseFrame& frame = frames.emplace_back();
    frame.seconds = seconds[i];
    for (std::size_t person = 0; person < sightings[i].size(); ++person) {
      frame.people.push_back({sightings[i][person].keypoints, tracks[i][person]});
    }
    std::ranges::sort(frame.people, {}, &Person::track);
  }
  return frames;
}

}  // namespace

PoseSequence extract_poses(FrameSource& source, const PoseDetector& detector, int threads, Progress& progress) {
  Extraction extraction(source, detector, thread_count(threads), progress);
  extraction.run();
  const FrameSourceInfo& info = source.info();
  return {info.width, info.height, info.frames_per_second, detector.name(),
          tracked_frames(extraction.seconds, extraction.sightings, info.width, info.height)};
}

std::vector<Person> extract_people(const Image& picture, const PoseDetector& detector) {
  const FoundFrame frame{0, picture, detector.make_finder()->find(picture)};
  const auto sightings = estimate(frame, *detector.make_estimator(EstimatorEffort::kPicture));
  return tracked_frames({0}, {sightings}, picture.width, picture.height).front().people;
}

}  // namespace unianimate::pose
