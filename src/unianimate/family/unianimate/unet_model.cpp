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

namespace {

models::CarriedStates states_of(WindowCarry& carry) {
  models::CarriedStates carried{{}, carry.next};
  for (std::size_t i = 0; i + 1 < carry.state.size(); i += 2) {
    carried.blocks.push_back({std::move(carry.state[i]), std::move(carry.state[i + 1])});
  }
  carry.state.clear();
  return carried;
}

std::vector<at::Tensor> state_of(models::CarriedStates carried) {
  std::vector<at::Tensor> state;
  for (models::MambaState& block : carried.blocks) {
    state.push_back(std::move(block.inputs));
    state.push_back(std::move(block.states));
  }
  return state;
}

}  // namespace

at::Tensor UNetModel::predict(const at::Tensor& windows, double time, std::span<const diffusion::ContextWindow> places,
                              bool conditional, at::Tensor* features, WindowCarry* carry) {
  const std::int64_t count = windows.size(0);
  const models::EncodedConditions conditions =
      conditional ? conditions_.conditional(places) : conditions_.unconditional(count);
  const at::Device device = conditions.concat.device();
  // Made there: what is sent waits for the device.
  const at::Tensor timesteps =
      at::full({count}, static_cast<std::int64_t>(time), at::TensorOptions(device).dtype(at::kLong));
  models::DeepFeatures deep{cut_, features != nullptr ? *features : at::Tensor()};
  models::CarriedStates carried;
  if (carry != nullptr) carried = states_of(*carry);
  const at::Tensor v = unet_(windows.to(device), timesteps, conditions, features != nullptr ? &deep : nullptr,
                             carry != nullptr ? &carried : nullptr);
  if (carry != nullptr) carry->state = state_of(std::move(carried));
  if (features != nullptr) *features = deep.kept;
  return v.to(windows.options());
}

}  // namespace unianimate::family
