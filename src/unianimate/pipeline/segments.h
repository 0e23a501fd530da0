// How a video is cut into segments, and how they become one video again.
#pragma once

#include <cstdint>
#include <vector>

#include "unianimate/family/request.h"
#include "unianimate/media/pictures/frame_sink.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::pipeline {

/// Consecutive frames that are sampled together.
struct Segment {
  std::int64_t first = 0;
  std::int64_t size = 0;

  bool operator==(const Segment&) const = default;
};

/// One segment of all frames without request.chain. Else as few as can be, of nearly equal size, each beginning
/// segment_overlap frames before the end of the one before.
std::vector<Segment> video_segments(std::int64_t frames, const family::AnimateRequest& request);

/// Takes the frames of one segment after the other and hands those of the video on. Frame i (from 0) of n that two
/// segments share is (n − i) / (n + 1) parts of the earlier and (i + 1) / (n + 1) of the later one.
class SegmentJoiner {
 public:
  /// `sink` must outlive this.
  SegmentJoiner(FrameSink& sink, std::int64_t overlap) : sink_(sink), overlap_(overlap) {}

  /// The next segment begins; it has `size` frames, more than the overlap unless it is the only one.
  void begin(std::int64_t size, bool is_last);
  void write(const Image& frame);

 private:
  FrameSink& sink_;
  std::int64_t overlap_;
  std::int64_t size_ = 0;
  std::int64_t written_ = 0;  ///< of the present segment
  bool is_last_ = false;
  std::vector<Image> before_;  ///< the last frames of the segment before
  std::vector<Image> held_;    ///< those of the present one so far
};

}  // namespace unianimate::pipeline
