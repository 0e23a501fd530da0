#include "unianimate/studio/video_order.h"

#include "unianimate/core/error.h"
#include "unianimate/fields/range_check.h"
#include "unianimate/studio/video_order_fields.h"

namespace unianimate::studio {

void VideoOrder::check() const {
  fields::check_ranges(*this);
  if (motion.empty() != job.request.poses.empty()) return;
  throw Error(ErrorKind::kUsage,
              "give either --motion, a video of somebody moving, or --poses, a folder of pose pictures or poses.json");
}

}  // namespace unianimate::studio
