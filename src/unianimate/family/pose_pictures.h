// The pose pictures of a clip, read when they are needed.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/family/pose_folder.h"
#include "unianimate/media/pictures/framing.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::family {

/// Of all pictures the same part is taken, with black beside them, and scaled to the size of the video. Those of the
/// first frames stay in memory, as many as kPicturesInMemory has room for; the others are read anew each time.
class PosePictures {
 public:
  static constexpr std::int64_t kPicturesInMemory = 64'000'000;  ///< bytes

  /// Reads every picture once, so that a damaged one shows before the work; each frame is a step of the progress.
  /// Throws Error(kInput) for one that cannot be read.
  PosePictures(const PoseFolder& folder, const std::vector<std::int64_t>& indices, const Framing& framing,
               PictureSize size, Progress& progress);

  /// Bytes that stay in memory of so many frames.
  static std::int64_t bytes_kept(std::int64_t frames, int width, int height) {
    return std::min(frames * Image::kChannels * width * height, kPicturesInMemory);
  }

  [[nodiscard]] std::int64_t frames() const { return static_cast<std::int64_t>(files_.size()); }
  /// Of the reference: uint8 (H, W, 3).
  [[nodiscard]] const at::Tensor& reference() const { return reference_; }
  /// Of consecutive frames: uint8 (count, H, W, 3). Throws Error(kInput).
  [[nodiscard]] at::Tensor of_frames(std::int64_t first, std::int64_t count) const;

 private:
  [[nodiscard]] at::Tensor read(const std::filesystem::path& file) const;

  Framing framing_;
  PictureSize size_;
  std::vector<std::filesystem::path> files_;  ///< one for each frame
  at::Tensor reference_;
  std::vector<at::Tensor> first_frames_;
};

}  // namespace unianimate::family
