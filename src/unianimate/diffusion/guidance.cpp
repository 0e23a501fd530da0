#include "unianimate/diffusion/guidance.h"

namespace unianimate::diffusion {

at::Tensor guided(const StepWork& work, const Trend& difference, std::int64_t first, const at::Tensor& conditional,
                  const at::Tensor& unconditional) {
  const double scale = work.guidance_scale;
  if (scale == 1.0) return conditional;
  if (work.unconditional == PassWork::kNone) {
    return conditional + (scale - 1) * difference.extrapolated(first, conditional.size(2), work.ahead);
  }
  const at::Tensor change = conditional - unconditional;
  difference.add(first, change);
  return unconditional + scale * change;
}

}  // namespace unianimate::diffusion
