#include "unianimate/family/unianimate/unet_model.h"

#include <utility>

namespace unianimate::family {

UNetModel::UNetModel(const models::UNet& unet, ClipConditions conditions, const ClipShape& window,
                     std::int64_t features_below, std::function<void()> gone)
    : unet_(unet),
      conditions_(unet, std::move(conditions), {1, window.latents, window.height, window.width}),
      cut_(unet.config().cut_below(features_below)),
      gone_(std::move(gone)) {}

UNetModel::~UNetModel() {
  if (gone_) gone_();
}

at::Tensor UNetModel::predict(const at::Tensor& windows, double time, std::span<const diffusion::ContextWindow> places,
                              bool conditional, at::Tensor* features) {
  const std::int64_t count = windows.size(0);
  const models::EncodedConditions conditions =
      conditional ? conditions_.conditional(places) : conditions_.unconditional(count);
  const at::Device device = conditions.concat.device();
  // Made there: what is sent waits for the device.
  const at::Tensor timesteps =
      at::full({count}, static_cast<std::int64_t>(time), at::TensorOptions(device).dtype(at::kLong));
  models::DeepFeatures deep{cut_, features != nullptr ? *features : at::Tensor()};
  const at::Tensor v = unet_(windows.to(device), timesteps, conditions, features != nullptr ? &deep : nullptr);
  if (features != nullptr) *features = deep.kept;
  return v.to(windows.options());
}

}  // namespace unianimate::family
