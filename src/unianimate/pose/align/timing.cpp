#include "unianimate/pose/align/timing.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "unianimate/core/error.h"
#include "unianimate/media/pictures/frame_rate.h"

namespace unianimate::pose {

namespace {

Keypoint between(const Keypoint& a, const Keypoint& b, double share) {
  return {a.at + (b.at - a.at) * share, std::min(a.score, b.score)};
}

double share_of(double time, double before, double after) {
  return after > before ? (time - before) / (after - before) : 0;
}

Person between(const Person& a, const Person& b, double share) {
  Person person = share < 0.5 ? a : b;
  for (std::size_t i = 0; i < kKeypoints; ++i) {
    // A point that only one side saw is not to be dragged towards the other's guess.
    const bool both = a.keypoints[i].seen() == b.keypoints[i].seen();
    if (both) person.keypoints[i] = between(a.keypoints[i], b.keypoints[i], share);
  }
  person.filled = a.filled || b.filled;
  return person;
}

/// Frames start … end − 1 without something, and the frames around that have it: none at an end of the sequence.
struct Gap {
  std::size_t start = 0;
  std::size_t end = 0;
  bool has_before = false;
  bool has_after = false;

  [[nodiscard]] std::size_t before() const { return start - 1; }
  [[nodiscard]] std::size_t after() const { return end; }
};

template <typename Known>
std::vector<Gap> find_gaps(std::size_t frames, const Known& known) {
  std::vector<Gap> gaps;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= frames; ++i) {
    if (i < frames && !known(i)) continue;
    if (i > start) gaps.push_back({start, i, start > 0, i < frames});
    start = i + 1;
  }
  return gaps;
}

/// Whether what is missing may be put in between.
bool is_short(const Gap& gap, const std::vector<PoseFrame>& frames, double limit_seconds) {
  return gap.has_before && gap.has_after && frames[gap.after()].seconds - frames[gap.before()].seconds <= limit_seconds;
}

/// What carries a point along while it cannot be seen: the wrist its hand, the nose the face; else nothing, the point
/// itself being given back.
std::size_t carrier_of(std::size_t point) {
  if (point >= kRightHand) return kRightWrist;
  if (point >= kLeftHand) return kLeftWrist;
  return point >= kFace ? kNose : point;
}

void fill_points(PoseSequence& sequence, double limit_seconds) {
  auto& frames = sequence.frames;
  const auto keypoint = [&](std::size_t frame, std::size_t point) -> Keypoint& {
    return frames[frame].people.front().keypoints[point];
  };
  // Body points come first, so that what carries hands and face is filled in when these are.
  for (std::size_t point = 0; point < kKeypoints; ++point) {
    const std::size_t carrier = carrier_of(point);
    const auto is_seen = [&](std::size_t frame) { return keypoint(frame, point).seen(); };
    for (const Gap& gap : find_gaps(frames.size(), is_seen)) {
      if (!is_short(gap, frames, limit_seconds)) continue;
      bool carried = carrier != point;
      for (std::size_t i = gap.before(); i <= gap.after(); ++i) carried = carried && keypoint(i, carrier).seen();
      const auto origin = [&](std::size_t frame) { return carried ? keypoint(frame, carrier).at : Point{}; };
      Keypoint before = keypoint(gap.before(), point);
      Keypoint after = keypoint(gap.after(), point);
      before.at = before.at - origin(gap.before());
      after.at = after.at - origin(gap.after());
      for (std::size_t i = gap.start; i < gap.end; ++i) {
        const double share = share_of(frames[i].seconds, frames[gap.before()].seconds, frames[gap.after()].seconds);
        keypoint(i, point) = between(before, after, share);
        keypoint(i, point).at = keypoint(i, point).at + origin(i);
      }
    }
  }
}

double smoothing_factor(double cutoff_hertz, double seconds) {
  const double period = 1 / (2 * std::numbers::pi * cutoff_hertz);
  return 1 / (1 + period / seconds);
}

/// Positions over time, one direction. `speed_unit`: what counts as moving by one.
std::vector<Point> filtered(const std::vector<Point>& points, const std::vector<double>& seconds, double speed_unit,
                            const OneEuro& filter) {
  constexpr double kSpeedCutoffHertz = 1;
  std::vector<Point> result(points);
  Point speed;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const double step = std::abs(seconds[i] - seconds[i - 1]);
    if (!(step > 0)) continue;
    const Point now = (points[i] - points[i - 1]) * (1 / step);
    speed = speed + (now - speed) * smoothing_factor(kSpeedCutoffHertz, step);
    const double cutoff = filter.min_cutoff_hertz + filter.beta * length(speed) / speed_unit;
    result[i] = result[i - 1] + (points[i] - result[i - 1]) * smoothing_factor(cutoff, step);
  }
  return result;
}

void smooth_run(PoseSequence& sequence, std::size_t point, std::size_t start, std::size_t end, double body_size,
                const OneEuro& filter) {
  std::vector<Point> points;
  std::vector<double> seconds;
  for (std::size_t i = start; i < end; ++i) {
    points.push_back(sequence.frames[i].people.front().keypoints[point].at);
    seconds.push_back(sequence.frames[i].seconds);
  }
  const std::vector<Point> forwards = filtered(points, seconds, body_size, filter);
  std::ranges::reverse(points);
  std::ranges::reverse(seconds);
  std::vector<Point> backwards = filtered(points, seconds, body_size, filter);
  std::ranges::reverse(backwards);
  for (std::size_t i = start; i < end; ++i) {
    sequence.frames[i].people.front().keypoints[point].at = middle(forwards[i - start], backwards[i - start]);
  }
}

}  // namespace

FilledGaps fill_gaps(PoseSequence& sequence, double limit_seconds, GapKind kind) {
  FilledGaps gaps;
  auto& frames = sequence.frames;
  const auto known = [&](std::size_t i) { return !frames[i].people.empty(); };
  bool anybody = false;
  for (std::size_t i = 0; i < frames.size(); ++i) anybody = anybody || known(i);
  if (!anybody) return gaps;
  for (const Gap& gap : find_gaps(frames.size(), known)) {
    const bool interpolated = is_short(gap, frames, limit_seconds);
    for (std::size_t i = gap.start; i < gap.end; ++i) {
      const double time = frames[i].seconds;
      const auto from_before = [&] { return time - frames[gap.before()].seconds; };
      const auto to_after = [&] { return frames[gap.after()].seconds - time; };
      Person person;
      if (interpolated) {
        person = between(frames[gap.before()].people.front(), frames[gap.after()].people.front(),
                         share_of(time, frames[gap.before()].seconds, frames[gap.after()].seconds));
      } else {
        const bool nearer_before = gap.has_before && (!gap.has_after || from_before() <= to_after());
        person = frames[nearer_before ? gap.before() : gap.after()].people.front();
      }
      person.filled = true;
      frames[i].people = {person};
      (interpolated ? gaps.interpolated : gaps.held).push_back(static_cast<std::int64_t>(i));
    }
  }
  if (kind == GapKind::kPeopleAndPoints) fill_points(sequence, limit_seconds);
  return gaps;
}

double rate_of_times(const PoseSequence& sequence) {
  std::vector<double> seconds(sequence.frames.size());
  std::ranges::transform(sequence.frames, seconds.begin(), &PoseFrame::seconds);
  return frame_rate(seconds, sequence.frames_per_second);
}

double HeldPauses::uncut(double seconds) const {
  double removed = 0;
  for (const Cut& cut : cuts) removed += seconds >= cut.seconds ? cut.removed_seconds : 0;
  return seconds + removed;
}

HeldPauses hold_pauses(PoseSequence& sequence, double shortest_seconds) {
  constexpr double kUsualIntervals = 3;
  HeldPauses pauses;
  if (!(sequence.frames_per_second > 0) || sequence.frames.empty()) return pauses;
  const double interval = 1 / sequence.frames_per_second;
  const double start = sequence.frames.front().seconds;
  const double longest = std::min(std::max(shortest_seconds, kUsualIntervals * interval), kLongestPauseSeconds);
  double removed = 0;
  std::vector<PoseFrame> frames;
  frames.reserve(sequence.frames.size());
  for (PoseFrame& frame : sequence.frames) {
    frame.seconds -= removed;
    if (!frames.empty() && frame.seconds - frames.back().seconds > longest) {
      PoseFrame held = frames.back();
      const double pause = std::min(frame.seconds - held.seconds, kLongestPauseSeconds);
      const double excess = frame.seconds - held.seconds - pause;
      frame.seconds = held.seconds + pause;
      removed += excess;
      ++pauses.count;
      pauses.held_seconds += pause;
      if (excess > 0) pauses.cuts.push_back({frame.seconds - start - interval / 2, excess});
      held.seconds = frame.seconds - interval;
      if (held.seconds > frames.back().seconds) frames.push_back(std::move(held));
    }
    frames.push_back(std::move(frame));
  }
  sequence.frames = std::move(frames);
  return pauses;
}

std::vector<std::string> describe(const HeldPauses& pauses) {
  std::vector<std::string> notes;
  if (pauses.count == 0) return notes;
  const auto times = [](std::size_t count) {
    return count == 1 ? std::string("once") : fmt::format("{} times", count);
  };
  notes.push_back(fmt::format("the motion pauses {}; the last pose is held there, for {:.3g} seconds in all",
                              times(static_cast<std::size_t>(pauses.count)), pauses.held_seconds));
  if (pauses.cuts.empty()) return notes;
  double removed = 0;
  for (const HeldPauses::Cut& cut : pauses.cuts) removed += cut.removed_seconds;
  notes.push_back(fmt::format("a pause is held for {:.6g} seconds at most, so {:.6g} seconds of the motion are cut out",
                              kLongestPauseSeconds, removed));
  return notes;
}

PoseSequence resample(const PoseSequence& sequence, double frames_per_second) {
  constexpr double kSlowest = 0.001;
  constexpr double kFastest = 1000;
  constexpr double kMostFrames = 300'000;
  if (!(frames_per_second >= kSlowest && frames_per_second <= kFastest)) {
    throw Error(ErrorKind::kUsage, "the poses' frames per second must lie between {} and {}, but are {}", kSlowest,
                kFastest, frames_per_second);
  }
  PoseSequence result{sequence.width, sequence.height, frames_per_second, sequence.detector, {}};
  if (sequence.frames.empty()) return result;
  const double start = sequence.frames.front().seconds;
  const double length_seconds = sequence.frames.back().seconds - start;
  // The last source frame counts although sums of times may miss it by a rounding.
  constexpr double kRounding = 1e-6;
  const double count = std::floor(length_seconds * frames_per_second + kRounding) + 1;
  if (!(count <= kMostFrames)) {
    throw Error(ErrorKind::kInput, "{:.0f} seconds at {} frames a second are over {:.0f} frames; take a part or fewer",
                length_seconds, frames_per_second, kMostFrames);
  }
  std::size_t after = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const double time = start + static_cast<double>(i) / frames_per_second;
    while (after + 1 < sequence.frames.size() && sequence.frames[after].seconds < time) ++after;
    const PoseFrame& b = sequence.frames[after];
    const PoseFrame& a = sequence.frames[after > 0 ? after - 1 : 0];
    PoseFrame& frame = result.frames.emplace_back();
    frame.seconds = time - start;
    const double share = std::clamp(share_of(time, a.seconds, b.seconds), 0.0, 1.0);
    if (a.people.empty() || b.people.empty() || share == 0 || share == 1) {
      frame.people = share < 0.5 ? a.people : b.people;
    } else {
      frame.people = {between(a.people.front(), b.people.front(), share)};
    }
  }
  return result;
}

void smooth(PoseSequence& sequence, const OneEuro& filter) {
  std::vector<double> sizes;
  for (const PoseFrame& frame : sequence.frames) {
    if (!frame.people.empty()) sizes.push_back(bounding_box(frame.people.front().keypoints).height());
  }
  if (sizes.empty()) return;
  std::ranges::nth_element(sizes, sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2));
  const double body_size = std::max(1.0, sizes[sizes.size() / 2]);
  for (std::size_t point = 0; point < kKeypoints; ++point) {
    const auto is_seen = [&](std::size_t i) {
      const PoseFrame& frame = sequence.frames[i];
      return !frame.people.empty() && frame.people.front().keypoints[point].seen();
    };
    std::size_t start = 0;
    for (std::size_t i = 0; i <= sequence.frames.size(); ++i) {
      if (i < sequence.frames.size() && is_seen(i)) continue;
      smooth_run(sequence, point, start, i, body_size, filter);
      start = i + 1;
    }
  }
}

}  // namespace unianimate::pose
