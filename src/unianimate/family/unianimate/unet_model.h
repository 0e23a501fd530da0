// The UNet under the conditions of one clip.
#pragma once

#include <functional>

#include "unianimate/family/family.h"
#include "unianimate/family/unianimate/window_conditions.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::family {

class UNetModel final : public ClipModel {
 public:
  /// `unet` must outlive this, unless `gone`, which is called at the end, frees it. Deep features are those below level
  /// `features_below`.
  UNetModel(const models::UNet& unet, ClipConditions conditions, const ClipShape& window,
            std::int64_t features_below = 0, std::function<void()> gone = {});
  ~UNetModel() override;
  UNetModel(const UNetModel&) = delete;
  UNetModel& operator=(const UNetModel&) = delete;

  /// v at integer timesteps.
  [[nodiscard]] at::Tensor predict(const at::Tensor& windows, double time,
                                   std::span<const diffusion::ContextWindow> places, bool conditional,
                                   at::Tensor* features, WindowCarry* carry) override;

 private:
  const models::UNet& unet_;
  WindowConditions conditions_;
  std::int64_t cut_;
  std::function<void()> gone_;
};

}  // namespace unianimate::family
