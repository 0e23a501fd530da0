// The pictures of a motion once more, for a preview.
#pragma once

#include <future>
#include <memory>
#include <optional>

#include "unianimate/core/bounded_queue.h"
#include "unianimate/media/pictures/frame_source.h"

namespace unianimate::studio {

/// Decodes ahead in a thread of its own.
class MotionPictures {
 public:
  /// Null: a motion without pictures, of which all are black and of this size.
  MotionPictures(std::unique_ptr<FrameSource> source, int width, int height);
  ~MotionPictures();
  MotionPictures(const MotionPictures&) = delete;
  MotionPictures& operator=(const MotionPictures&) = delete;

  /// The last picture not after `seconds` since the first one's time. Times must not decrease from call to call. Throws
  /// what the source throws.
  const Image& at(double seconds);

 private:
  void advance();

  std::unique_ptr<FrameSource> source_;
  BoundedQueue<TimedFrame> decoded_;
  std::future<void> decoding_;
  Image current_;
  double start_ = 0;
  std::optional<TimedFrame> next_;
};

}  // namespace unianimate::studio
