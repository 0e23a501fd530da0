#include "unianimate/studio/video_order.h"

#include <array>

#include "unianimate/core/error.h"

namespace unianimate::studio {

void VideoOrder::check() const {
  if (motion.empty() != job.request.poses.empty()) return;
  throw Error(ErrorKind::kUsage,
              "give either --motion, a video of somebody moving, or --poses, a folder of pose pictures or poses.json");
}

void refuse_unused_keeping(const JobKeeping& keeping, const RefuseGiven& refuse_given) {
  if (keeping.save_every > 0 || !refuse_given) return;
  constexpr std::string_view kWhen = "with --save-every 0, which keeps no job";
  refuse_given(std::array<std::string_view, 1>{"keep-job"}, kWhen);
  if (!keeping.folder.empty()) refuse_given(std::array<std::string_view, 1>{"job"}, kWhen);
}

}  // namespace unianimate::studio
