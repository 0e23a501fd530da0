#include "unianimate/puppet/clip.h"

#include <algorithm>

#include "unianimate/core/error.h"

namespace unianimate::puppet {

namespace {

/// Long before the first frame.
constexpr double kReferenceSeconds = -7;

const ClipOptions& checked(const ClipOptions& options) {
  options.check();
  return options;
}

}  // namespace

void ClipOptions::check() const {
  constexpr int kLeastSide = 16;
  constexpr int kMostSide = 4096;
  constexpr std::int64_t kMostFrames = 100'000;
  constexpr double kSlowest = 0.1;
  constexpr double kFastest = 1000;
  if (std::min(width, height) < kLeastSide || std::max(width, height) > kMostSide) {
    throw Error(ErrorKind::kUsage, "the sides must lie between {} and {} pixels, but are {}x{}", kLeastSide, kMostSide,
                width, height);
  }
  if (frames < 1 || frames > kMostFrames) {
    throw Error(ErrorKind::kUsage, "the frames must be 1 to {}, but are {}", kMostFrames, frames);
  }
  if (!(frames_per_second >= kSlowest && frames_per_second <= kFastest)) {
    throw Error(ErrorKind::kUsage, "the frames per second must lie between {} and {}, but are {}", kSlowest, kFastest,
                frames_per_second);
  }
}

Clip::Clip(const ClipOptions& options)
    : options_(checked(options)),
      identity_(make_identity(options.seed)),
      motion_(options.motion, options.seed),
      stage_(stage_for(options.width, options.height)),
      background_(draw_background(make_background(options.seed), options.width, options.height)) {}

Image Clip::frame(std::int64_t index) const {
  return draw(seconds_of(index));
}

pose::Keypoints Clip::keypoints(std::int64_t index) const {
  return place(seconds_of(index));
}

std::vector<std::uint8_t> Clip::figure_mask(std::int64_t index) const {
  const Posture posture = motion_.at(seconds_of(index));
  return puppet::figure_mask(options_.width, options_.height, identity_, posture,
                             place_body(posture, identity_, stage_), stage_.height);
}

Image Clip::reference() const {
  return draw(kReferenceSeconds);
}

pose::Keypoints Clip::reference_keypoints() const {
  return place(kReferenceSeconds);
}

Image Clip::draw(double seconds) const {
  Image picture = background_;
  const Posture posture = motion_.at(seconds);
  draw_person(picture, identity_, posture, place_body(posture, identity_, stage_), stage_.height);
  return picture;
}

pose::Keypoints Clip::place(double seconds) const {
  return place_body(motion_.at(seconds), identity_, stage_);
}

double Clip::seconds_of(std::int64_t index) const {
  return static_cast<double>(index) / options_.frames_per_second;
}

}  // namespace unianimate::puppet
