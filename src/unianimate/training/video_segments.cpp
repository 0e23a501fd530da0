#include "unianimate/training/video_segments.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace unianimate::training {

namespace {

using pose::Box;

constexpr double kTolerance = 0.9;   ///< of the time between two frames
constexpr double kMissingTime = 3;   ///< times the usual one between two frames
constexpr double kSamePlace = 0.15;  ///< overlap of the person with itself a frame before
constexpr double kMargin = 0.12;     ///< of the person's larger side, on each side
constexpr double kMostEnlarged = 2;
constexpr std::ptrdiff_t kFewestPoints = 5;

bool is_usable(const pose::PoseFrame& frame) {
  if (frame.people.empty()) return false;
  const auto body = std::span(frame.people.front().keypoints).first(pose::kBodyPoints);
  return std::ranges::count_if(body, &pose::Keypoint::seen) >= kFewestPoints;
}

Box joined(const Box& a, const Box& b) {
  return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right), std::max(a.bottom, b.bottom)};
}

/// Body, feet and hands.
Box extent(const pose::Keypoints& keypoints) {
  Box box = pose::bounding_box(keypoints);
  for (std::size_t i = pose::kLeftHand; i < pose::kKeypoints; ++i) {
    const pose::Point at = keypoints[i].at;
    if (keypoints[i].seen()) box = joined(box, {at.x, at.y, at.x, at.y});
  }
  return box;
}

/// At most `rate` frames a second.
std::vector<std::size_t> thinned(const std::vector<pose::PoseFrame>& frames, double rate) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const bool late_enough = kept.empty() || frames[i].seconds - frames[kept.back()].seconds >= kTolerance / rate;
    if (late_enough) kept.push_back(i);
  }
  return kept;
}

double usual_step(const std::vector<pose::PoseFrame>& frames, const std::vector<std::size_t>& kept) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < kept.size(); ++i) steps.push_back(frames[kept[i]].seconds - frames[kept[i - 1]].seconds);
  if (steps.empty()) return 0;
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::ranges::nth_element(steps, middle);
  return *middle;
}

class Cutter {
 public:
  Cutter(const pose::PoseSequence& person, const SegmentOptions& options)
      : person_(person),
        options_(options),
        aspect_(static_cast<double>(options.width) / options.height),
        widest_(std::min<double>(person.width, person.height * aspect_)) {
    for (const pose::PoseFrame& frame : person.frames) {
      extents_.push_back(is_usable(frame) ? extent(frame.people.front().keypoints) : Box{});
    }
  }

  CutVideo cut() {
    const std::vector<std::size_t> kept = thinned(person_.frames, options_.frame_rate);
    const double longest_step = kMissingTime * usual_step(person_.frames, kept);
    std::vector<std::size_t> run;
    for (const std::size_t frame : kept) {
      const bool usable = is_usable(person_.frames[frame]);
      if (!run.empty() && !(usable && follows(run.back(), frame, longest_step))) {
        split(run);
        run.clear();
      }
      if (usable) run.push_back(frame);
    }
    split(run);
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool follows(std::size_t before, std::size_t frame, double longest_step) const {
    return person_.frames[frame].seconds - person_.frames[before].seconds <= longest_step &&
           pose::overlap(extents_[before], extents_[frame]) >= kSamePlace;
  }

  /// Into parts of about equal length, and of places that one crop can hold.
  void split(const std::vector<std::size_t>& run) {
    if (run.empty()) return;
    const std::size_t parts = (run.size() + kLongestSegment - 1) / kLongestSegment;
    const std::size_t length = (run.size() + parts - 1) / parts;
    std::vector<std::size_t> part;
    Box place;
    Box largest;  // what a single frame needs, which no splitting can make smaller
    for (const std::size_t frame : run) {
      const Box& box = extents_[frame];
      const Box now = part.empty() ? box : joined(place, box);
      constexpr double kRoom = 1.25;
      const auto fits = [&](double needed, double room, double single) {
        return needed <= std::max(room, kRoom * single);
      };
      const bool whole = fits(now.width(), widest_, std::max(largest.width(), box.width())) &&
                         fits(now.height(), widest_ / aspect_, std::max(largest.height(), box.height()));
      if (part.size() == length || (!part.empty() && !whole)) {
        add(std::move(part), place);
        part = {};
        largest = {};
        place = box;
      } else {
        place = now;
      }
      largest = {0, 0, std::max(largest.width(), box.width()), std::max(largest.height(), box.height())};
      part.push_back(frame);
    }
    add(std::move(part), place);
  }

  void add(std::vector<std::size_t> frames, const Box& place) {
    if (frames.size() < kShortestSegment) return;
    const PixelBox crop = crop_around(place);
    if (crop.height * kMostEnlarged < options_.height || crop.width * kMostEnlarged < options_.width) {
      ++result_.too_small;
      return;
    }
    result_.segments.push_back({std::move(frames), crop});
  }

  [[nodiscard]] PixelBox crop_around(const Box& place) const {
    const double margin = kMargin * std::max(place.width(), place.height());
    const double width =
        std::min(widest_, std::max(place.width() + 2 * margin, (place.height() + 2 * margin) * aspect_));
    const double height = width / aspect_;
    const double left = place.centre().x - width / 2;
    // Where not all of the person fits, the head does.
    const double top = place.height() > height ? place.top - margin : place.centre().y - height / 2;
    PixelBox crop;
    crop.width = std::clamp(static_cast<int>(std::lround(width)), 1, person_.width);
    crop.height = std::clamp(static_cast<int>(std::lround(height)), 1, person_.height);
    const auto inside = [](double start, int side, int room) {
      return static_cast<int>(std::lround(std::clamp<double>(start, 0, room - side)));
    };
    crop.left = inside(left, crop.width, person_.width);
    crop.top = inside(top, crop.height, person_.height);
    return crop;
  }

  const pose::PoseSequence& person_;
  const SegmentOptions& options_;
  double aspect_;  ///< width over height
  double widest_;  ///< crop
  std::vector<Box> extents_;
  CutVideo result_;
};

}  // namespace

CutVideo cut_video(const pose::PoseSequence& person, const SegmentOptions& options) {
  return Cutter(person, options).cut();
}

}  // namespace unianimate::training
