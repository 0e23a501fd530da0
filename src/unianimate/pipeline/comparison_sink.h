// Reference, pose and result side by side.
#pragma once

#include <cstdint>

#include "unianimate/family/pose_pictures.h"
#include "unianimate/media/pictures/frame_sink.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::pipeline {

/// Puts reference and pose before each frame, as three columns of one size.
class ComparisonSink final : public FrameSink {
 public:
  /// All must outlive this.
  ComparisonSink(FrameSink& sink, const Image& reference, const family::PosePictures& poses)
      : sink_(sink), reference_(reference), poses_(poses) {}

  /// Throws as the sink does, and as PosePictures::of_frames().
  void write(const Image& frame) override;
  void finish() override { sink_.finish(); }
  [[nodiscard]] std::string trouble() const override { return sink_.trouble(); }

 private:
  FrameSink& sink_;
  const Image& reference_;
  const family::PosePictures& poses_;
  std::int64_t written_ = 0;
};

}  // namespace unianimate::pipeline
