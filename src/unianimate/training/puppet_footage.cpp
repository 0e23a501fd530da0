#include "unianimate/training/puppet_footage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/random_stream.h"
#include "unianimate/media/resize.h"
#include "unianimate/pipeline/pictures.h"
#include "unianimate/pose/drawing.h"

namespace unianimate::training {

namespace {

constexpr std::uint64_t kFootageStream = 0xF007;
constexpr int kFarthestMoment = 400;  ///< frames from the first one

puppet::MotionKind motion_of(RandomStream& random) {
  constexpr int kOfFive = 5;
  switch (random.below(kOfFive)) {
    case 0:
      return puppet::MotionKind::kWalk;
    case 1:
      return puppet::MotionKind::kWave;
    default:
      return puppet::MotionKind::kDance;
  }
}

}  // namespace

void PuppetFootageOptions::check() const {
  constexpr std::int64_t kMost = 1 << 24;
  if (people < 1 || people > kMost) {
    throw Error(ErrorKind::kUsage, "the number of people must be 1 to {}, but is {}", kMost, people);
  }
  constexpr std::int64_t kMostMoments = 4096;
  if (coherent < 1 || scattered < 0 || coherent > kMostMoments || scattered > kMostMoments) {
    throw Error(ErrorKind::kUsage,
                "a person has 1 to {0} moments that follow each other and 0 to {0} scattered ones, found {1} and {2}",
                kMostMoments, coherent, scattered);
  }
}

PuppetFootage::PuppetFootage(const PuppetFootageOptions& options) : options_((options.check(), options)) {}

Footage PuppetFootage::load(std::int64_t index) const {
  constexpr std::array kFrameRates{6.0, 8.0, 12.0, 16.0, 16.0};
  const std::uint64_t seed = options_.first_person + static_cast<std::uint64_t>(index);
  RandomStream random(mixed_seed(seed, kFootageStream));
  puppet::ClipOptions clip_options;
  clip_options.seed = seed;
  clip_options.width = options_.width;
  clip_options.height = options_.height;
  clip_options.motion = motion_of(random);
  clip_options.frames_per_second = kFrameRates.at(random.below(kFrameRates.size()));
  const puppet::Clip clip(clip_options);

  Footage footage;
  footage.coherent = options_.coherent;
  const std::int64_t moments = options_.coherent + options_.scattered;
  footage.pictures = at::empty({moments, options_.height, options_.width, Image::kChannels}, at::kByte);
  footage.poses = at::empty_like(footage.pictures);
  footage.faces = at::empty({moments, options_.height, options_.width}, at::kByte);
  const std::int64_t first = random.below(kFarthestMoment);
  for (std::int64_t i = 0; i < moments; ++i) {
    const std::int64_t frame = i < options_.coherent ? first + i : random.below(2 * kFarthestMoment) - kFarthestMoment;
    footage.pictures[i].copy_(pipeline::tensor_from_image(clip.frame(frame)));
    const Image pose = pose_picture(clip.keypoints(frame), options_.width, options_.height);
    footage.poses[i].copy_(pipeline::tensor_from_image(pose));
    footage.faces[i].copy_(face_mask(clip.keypoints(frame), options_.width, options_.height));
  }
  return footage;
}

std::string PuppetFootage::description() const {
  return fmt::format("{} procedural people from {}, {}x{}, {} moments that follow and {} others", options_.people,
                     options_.first_person, options_.width, options_.height, options_.coherent, options_.scattered);
}

Image pose_picture(const pose::Keypoints& keypoints, int width, int height) {
  const double factor = static_cast<double>(pose::kCanvasWidth) / width;
  pose::Keypoints on_canvas = keypoints;
  for (pose::Keypoint& point : on_canvas) point.at = point.at * factor;
  const Image canvas = pose::draw_pose(on_canvas, pose::kCanvasWidth, static_cast<int>(std::lround(height * factor)));
  return resize_bilinear(canvas, width, height);
}

at::Tensor face_mask(const pose::Keypoints& keypoints, int width, int height) {
  double left = width;
  double right = 0;
  double top = height;
  double bottom = 0;
  const auto take = [&](const pose::Keypoint& point) {
    if (!point.seen()) return;
    left = std::min(left, point.at.x);
    right = std::max(right, point.at.x);
    top = std::min(top, point.at.y);
    bottom = std::max(bottom, point.at.y);
  };
  for (std::size_t i = 0; i < pose::kFacePoints; ++i) take(keypoints[pose::kFace + i]);
  if (left > right) {
    using enum pose::KeypointIndex;
    for (const std::size_t i : {kNose, kRightEye, kLeftEye, kRightEar, kLeftEar}) take(keypoints[i]);
  }
  at::Tensor mask = at::zeros({height, width}, at::kByte);
  if (left > right) return mask;
  constexpr double kMargin = 1.0 / 6;
  const auto bounds = [](double low, double high, int side) {
    const double margin = kMargin * (high - low);
    const auto first = static_cast<std::int64_t>(std::clamp(std::floor(low - margin), 0.0, 1.0 * side));
    const auto last = static_cast<std::int64_t>(std::clamp(std::ceil(high + margin), 0.0, 1.0 * side));
    return std::pair(first, last);
  };
  const auto [x0, x1] = bounds(left, right, width);
  const auto [y0, y1] = bounds(top, bottom, height);
  mask.slice(0, y0, y1).slice(1, x0, x1).fill_(1);
  return mask;
}

}  // namespace unianimate::training
