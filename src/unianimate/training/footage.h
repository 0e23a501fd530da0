// What there is to train on, whatever it comes from.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "unianimate/pose/format/keypoints.h"

namespace unianimate::training {

/// Moments of one person in front of one background.
struct Footage {
  at::Tensor pictures;        ///< uint8 (moments, H, W, 3)
  at::Tensor poses;           ///< uint8 (moments, H, W, 3), pose pictures
  at::Tensor faces;           ///< uint8 (moments, H, W), 1 in the box around the face
  std::int64_t coherent = 0;  ///< the first so many moments follow each other at equal intervals

  [[nodiscard]] std::int64_t moments() const { return pictures.size(0); }
};

/// Footage of pictures that are there: poses and faces follow from `keypoints`, those of the person in each picture, in
/// its pixels.
Footage make_footage(at::Tensor pictures, const std::vector<pose::Keypoints>& keypoints, std::int64_t coherent);

/// Pose pictures uint8 (..., H, W, 3) -> float (..., H, W), 1 where they show a bit of the skeleton.
at::Tensor skeleton_mask(const at::Tensor& poses);

class FootageSource {
 public:
  virtual ~FootageSource() = default;
  /// How many people, clips or variants of clips there are.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// The same index gives the same footage. May be called by several threads at once.
  [[nodiscard]] virtual Footage load(std::int64_t index) const = 0;
  /// One line that tells this material from any other.
  [[nodiscard]] virtual std::string description() const = 0;
};

}  // namespace unianimate::training
