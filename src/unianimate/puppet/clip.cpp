#include "unianimate/puppet/clip.h"

#include <algorithm>

#include "unianimate/core/error.h"

namespace unianimate::puppet {

namespace {

const ClipOptions& checked(const ClipOptions& options) {
  options.check();
  return options;
}

}  // namespace

void ClipOptions::check() const {
  if (std::min(width, height) < kSmallestSide || std::max(width, height) > kLargestSide) {
    throw Error(ErrorKind::kUsage, "the sides must lie between {} and {} pixels, but are {}x{}", kSmallestSide,
                kLargestSide, width, height);
  }
  if (frames < 1 || frames > kMostFrames) {
    throw Error(ErrorKind::kUsage, "the frames must be 1 to {}, but are {}", kMostFrames, frames);
  }
  if (!(frames_per_second >= kSlowestRate && frames_per_second <= kFastestRate)) {
    throw Error(ErrorKind::kUsage, "the frames per second must lie between {} and {}, but are {}", kSlowestRate,
                kFastestRate, frames_per_second);
  }
}

Clip::Clip(const ClipOptions& options)
    : options_(checked(options)),
      identity_(make_identity(options.seed)),
      movement_(std::make_shared<SeededMovement>(Motion(options.motion, options.seed), identity_,
                                                 stage_for(options.width, options.height))),
      background_(draw_background(make_background(options.seed), options.width, options.height)) {}

Clip::Clip(const ClipOptions& options, const pose::PoseSequence& poses, Bones bones)
    : options_(checked(options)),
      identity_(make_identity(options.seed)),
      movement_(std::make_shared<Performance>(poses, bones, identity_, options.width, options.height)),
      background_(draw_background(make_background(options.seed), options.width, options.height)) {}

Image Clip::frame(std::int64_t index) const {
  return draw(stance(index));
}

pose::Keypoints Clip::keypoints(std::int64_t index) const {
  return stance(index).points;
}

std::vector<std::uint8_t> Clip::figure_mask(std::int64_t index) const {
  const Stance moment = stance(index);
  return puppet::figure_mask(options_.width, options_.height, identity_, moment.posture, moment.points, moment.unit);
}

Image Clip::reference() const {
  return draw(movement_->reference());
}

pose::Keypoints Clip::reference_keypoints() const {
  return movement_->reference().points;
}

Stance Clip::stance(std::int64_t index) const {
  return movement_->at(static_cast<double>(index) / options_.frames_per_second);
}

Image Clip::draw(const Stance& stance) const {
  Image picture = background_;
  draw_person(picture, identity_, stance.posture, stance.points, stance.unit);
  return picture;
}

}  // namespace unianimate::puppet
