// Procedural people to train on.
#pragma once

#include <cstdint>

#include "unianimate/puppet/clip.h"
#include "unianimate/training/footage.h"

namespace unianimate::training {

struct PuppetFootageOptions {
  std::uint64_t first_person = 1'000'000;  ///< seeds of people; none of these is for measuring
  std::int64_t people = 4096;
  int width = 96;
  int height = 128;
  std::int64_t coherent = 8;   ///< moments that follow each other
  std::int64_t scattered = 4;  ///< moments from anywhere in the movement

  /// Throws Error(kUsage) that names the field.
  void check() const;
};

/// Item i is person first_person + i. Motion (dance for three in five, else walk or wave) and frame rate (6 … 16 a
/// second) follow from the seed.
class PuppetFootage : public FootageSource {
 public:
  explicit PuppetFootage(const PuppetFootageOptions& options);
  [[nodiscard]] std::int64_t size() const override { return options_.people; }
  [[nodiscard]] Footage load(std::int64_t index) const override;
  [[nodiscard]] std::string description() const override;

 private:
  PuppetFootageOptions options_;
};

/// The pose picture of these points, of a picture of this size, as the program makes it of a user's poses: drawn at the
/// published width, then scaled.
Image pose_picture(const pose::Keypoints& keypoints, int width, int height);

/// uint8 (height, width): 1 in the box around the seen points of the face, a sixth of its sides larger each way; of
/// the nose, eyes and ears where no others are seen.
at::Tensor face_mask(const pose::Keypoints& keypoints, int width, int height);

}  // namespace unianimate::training
