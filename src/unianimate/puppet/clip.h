// A video of a procedural person of which everything is known.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "unianimate/puppet/figure.h"
#include "unianimate/puppet/performance.h"

namespace unianimate::puppet {

/// What ClipOptions::check() allows.
inline constexpr int kSmallestSide = 16;
inline constexpr int kLargestSide = 4096;
inline constexpr std::int64_t kMostFrames = 100'000;
inline constexpr double kSlowestRate = 0.1;
inline constexpr double kFastestRate = 1000;

struct ClipOptions {
  std::uint64_t seed = 0;  ///< of the person, what stands behind, and how the person moves
  int width = 192;
  int height = 256;
  std::int64_t frames = 64;
  double frames_per_second = 16;
  MotionKind motion = MotionKind::kDance;

  /// Throws Error(kUsage) unless the sides are 16 … 4096, frames 1 … 100 000, and 0.1 <= frames_per_second <= 1000.
  void check() const;
};

/// Every frame can be asked for by itself, by several threads at once; the same options give the same pixels.
class Clip {
 public:
  explicit Clip(const ClipOptions& options);
  /// The person of the seed performs `poses`, from poses_to_perform(); `options.motion` is not looked at.
  Clip(const ClipOptions& options, const pose::PoseSequence& poses, Bones bones);

  [[nodiscard]] const ClipOptions& options() const { return options_; }
  /// `index` may be any, also beyond the clip's frames.
  [[nodiscard]] Image frame(std::int64_t index) const;
  [[nodiscard]] pose::Keypoints keypoints(std::int64_t index) const;
  /// Where the person is in frame(index); see puppet::figure_mask().
  [[nodiscard]] std::vector<std::uint8_t> figure_mask(std::int64_t index) const;
  /// The same person in front of the same background at another moment; see Movement::reference().
  [[nodiscard]] Image reference() const;
  [[nodiscard]] pose::Keypoints reference_keypoints() const;

 private:
  [[nodiscard]] Stance stance(std::int64_t index) const;
  [[nodiscard]] Image draw(const Stance& stance) const;

  ClipOptions options_;
  Identity identity_;
  std::shared_ptr<const Movement> movement_;
  Image background_;
};

}  // namespace unianimate::puppet
