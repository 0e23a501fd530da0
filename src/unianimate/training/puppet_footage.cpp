#include "unianimate/training/puppet_footage.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/random_stream.h"
#include "unianimate/family/pictures.h"

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

  const std::int64_t moments = options_.coherent + options_.scattered;
  std::vector<at::Tensor> pictures;
  std::vector<pose::Keypoints> keypoints;
  const std::int64_t first = random.below(kFarthestMoment);
  for (std::int64_t i = 0; i < moments; ++i) {
    const std::int64_t frame = i < options_.coherent ? first + i : random.below(2 * kFarthestMoment) - kFarthestMoment;
    pictures.push_back(family::tensor_from_image(clip.frame(frame)));
    keypoints.push_back(clip.keypoints(frame));
  }
  return make_footage(at::stack(pictures), keypoints, options_.coherent);
}

std::string PuppetFootage::description() const {
  return fmt::format("{} procedural people from {}, {}x{}, {} moments that follow and {} others", options_.people,
                     options_.first_person, options_.width, options_.height, options_.coherent, options_.scattered);
}

}  // namespace unianimate::training
