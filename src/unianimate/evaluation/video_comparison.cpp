#include "unianimate/evaluation/video_comparison.h"

#include "unianimate/core/error.h"

namespace unianimate::evaluation {

VideoComparison compare_videos(FrameSource& first, FrameSource& second, const TakePair& also) {
  bool lengths_differ = false;
  QualityMeter meter;
  while (true) {
    const std::optional<TimedFrame> a = first.next();
    const std::optional<TimedFrame> b = second.next();
    lengths_differ = a.has_value() != b.has_value();
    if (!a || !b) break;
    meter.add(a->image, b->image);
    if (also) also(a->image, b->image);
  }
  if (meter.frames() == 0) {
    throw Error(ErrorKind::kInput, "one of the videos has no frames; there is nothing to compare");
  }
  return {meter.frames(), meter.quality(), lengths_differ};
}

}  // namespace unianimate::evaluation
