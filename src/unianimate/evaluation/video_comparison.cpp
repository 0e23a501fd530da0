#include "unianimate/evaluation/video_comparison.h"

#include <algorithm>

#include "unianimate/core/error.h"
#include "unianimate/evaluation/metrics.h"

namespace unianimate::evaluation {

VideoComparison compare_videos(FrameSource& first, FrameSource& second) {
  constexpr double kEqualPsnr = 100;
  VideoComparison result;
  FrameConsistency consistency;
  while (true) {
    const std::optional<TimedFrame> a = first.next();
    const std::optional<TimedFrame> b = second.next();
    result.lengths_differ = a.has_value() != b.has_value();
    if (!a || !b) break;
    result.psnr += std::min(kEqualPsnr, psnr(a->image, b->image));
    result.ssim += ssim(a->image, b->image);
    result.mean_absolute_error += mean_absolute_error(a->image, b->image);
    consistency.add(a->image, b->image);
    ++result.frames;
  }
  if (result.frames == 0)
    throw Error(ErrorKind::kInput, "one of the videos has no frames; there is nothing to compare");
  const auto frames = static_cast<double>(result.frames);
  result.psnr /= frames;
  result.ssim /= frames;
  result.mean_absolute_error /= frames;
  result.consistency_error = consistency.error();
  return result;
}

}  // namespace unianimate::evaluation
