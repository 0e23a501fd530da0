// Real videos to train on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/training/footage.h"
#include "unianimate/training/video_preparation.h"

namespace unianimate::training {

struct VideoFootageOptions {
  VideoPreparationOptions preparation;
  bool flips = true;           ///< every segment a second time, mirrored
  std::int64_t coherent = 8;   ///< moments that follow each other
  std::int64_t scattered = 4;  ///< moments from anywhere in the segment

  /// Throws Error(kUsage) that names the field.
  void check() const;
};

/// An item is a segment of a video, or its mirror image. Which moments it gives, and from every frame to every fourth,
/// follows from the item's number. Segments of fewer frames than `coherent` are left out, and a note says so.
class VideoFootage : public FootageSource {
 public:
  /// Prepares the videos; throws as prepare_videos(), and Error(kInput) where no segment is long enough.
  VideoFootage(const VideoFootageOptions& options, const pose::PoseSourceMaker& poses, Progress& progress);
  [[nodiscard]] std::int64_t size() const override;
  [[nodiscard]] Footage load(std::int64_t index) const override;
  [[nodiscard]] std::string description() const override;

 private:
  struct Segment {
    std::size_t video = 0;
    std::size_t number = 0;
  };

  [[nodiscard]] std::int64_t variants() const { return options_.flips ? 2 : 1; }
  [[nodiscard]] std::vector<std::int64_t> moments_of(std::int64_t index, std::int64_t frames) const;

  VideoFootageOptions options_;
  std::vector<PreparedVideo> videos_;
  std::vector<Segment> segments_;
};

}  // namespace unianimate::training
