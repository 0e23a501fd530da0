#include "unianimate/models/unet/mamba.h"

#include <algorithm>
#include <utility>

#include "unianimate/nn/ops/causal_convolution.h"
#include "unianimate/nn/ops/selective_scan.h"

namespace unianimate::models {

namespace {

/// Tokens that pass through at once: what lies between is six times as wide as they.
constexpr std::int64_t kTokensAtOnce = 4096;
constexpr std::int64_t kTokensAtOnceOnCard = 65'536;
constexpr std::int64_t kInputsBefore = nn::kCausalTaps - 1;

MambaState pixels_of(const MambaState& state, std::int64_t first, std::int64_t count) {
  if (!state.states.defined()) return {};
  return {state.inputs.narrow(2, first, count), state.states.narrow(1, first, count)};
}

MambaState of_all_pixels(const std::vector<MambaState>& parts) {
  std::vector<at::Tensor> inputs;
  std::vector<at::Tensor> states;
  for (const MambaState& part : parts) {
    inputs.push_back(part.inputs);
    states.push_back(part.states);
  }
  return {at::cat(inputs, 2), at::cat(states, 1)};
}

/// The last inputs of the convolution before token `count`.
at::Tensor inputs_before(const at::Tensor& value, const at::Tensor& earlier, std::int64_t count) {
  const at::Tensor before =
      earlier.defined() ? earlier : value.new_zeros({value.size(0), kInputsBefore, value.size(2), value.size(3)});
  return at::cat({before, value.narrow(1, 0, count)}, 1).narrow(1, count, kInputsBefore).clone();
}

}  // namespace

Mamba::Mamba(std::int64_t dim, std::int64_t d_state, std::int64_t expand, Directions directions,
             const at::TensorOptions& options)
    : inner_(expand * dim),
      dt_rank_(dt_rank(dim)),
      d_state_(d_state),
      in_proj_(dim, 2 * inner_, false, options),
      out_proj_(inner_, dim, false, options) {
  register_child("in_proj", in_proj_);
  directions_.push_back(make_direction("", options));
  if (directions == Directions::kBoth) directions_.push_back(make_direction("_b", options));
  register_child("out_proj", out_proj_);
}

Mamba::Direction Mamba::make_direction(const std::string& suffix, const at::TensorOptions& options) {
  const at::TensorOptions exact =
      options.dtype(at::promote_types(c10::typeMetaToScalarType(options.dtype()), at::kFloat));
  Direction made{register_parameter("conv1d" + suffix + ".weight", {inner_, 1, nn::kCausalTaps}, options),
                 register_parameter("conv1d" + suffix + ".bias", {inner_}, options),
                 register_parameter("dt_proj" + suffix + ".bias", {inner_}, options),
                 register_parameter("A" + suffix + "_log", {inner_, d_state_}, exact),
                 register_parameter("D" + suffix, {inner_}, exact),
                 std::make_unique<nn::Linear>(inner_, dt_rank_ + 2 * d_state_, false, options),
                 std::make_unique<nn::Linear>(dt_rank_, inner_, false, options)};
  register_child("x_proj" + suffix, *made.x_proj);
  register_child("dt_proj" + suffix, *made.dt_proj);
  return made;
}

at::Tensor Mamba::operator()(const at::Tensor& x, MambaHandover* handover) const {
  const std::int64_t tokens = x.is_cpu() ? kTokensAtOnce : kTokensAtOnceOnCard;
  const std::int64_t at_once = std::max<std::int64_t>(1, tokens / (x.size(0) * x.size(1)));
  std::vector<at::Tensor> parts;
  std::vector<MambaState> kept;
  for (std::int64_t first = 0; first < x.size(2); first += at_once) {
    const std::int64_t count = std::min(at_once, x.size(2) - first);
    const at::Tensor pixels = x.narrow(2, first, count);
    if (handover == nullptr) {
      parts.push_back(of_pixels(pixels, nullptr));
      continue;
    }
    MambaHandover part{pixels_of(handover->start, first, count), handover->keep_after, {}};
    parts.push_back(of_pixels(pixels, &part));
    kept.push_back(std::move(part.kept));
  }
  if (handover != nullptr && handover->keep_after > 0) handover->kept = of_all_pixels(kept);
  return parts.size() == 1 ? parts.front() : at::cat(parts, 2);
}

at::Tensor Mamba::of_pixels(const at::Tensor& x, MambaHandover* handover) const {
  const at::Tensor projected = in_proj_(x.contiguous());
  const at::Tensor value = projected.narrow(3, 0, inner_);
  const at::Tensor gate = projected.narrow(3, inner_, inner_);
  at::Tensor y = forward(value, gate, handover);
  if (directions_.size() > 1) y = y + scan(directions_.back(), value, gate, true, nullptr);
  return out_proj_(y);
}

/// The forward direction. Where the sequence began earlier the reference, which was its first token, is not fed again:
/// its own output, which depends on nothing else, is computed apart.
at::Tensor Mamba::forward(const at::Tensor& value, const at::Tensor& gate, MambaHandover* handover) const {
  if (handover == nullptr) return scan(directions_.front(), value, gate, false, nullptr);
  if (!handover->start.states.defined()) {
    MambaHandover with_reference{{}, handover->keep_after > 0 ? handover->keep_after + 1 : 0, {}};
    at::Tensor y = scan(directions_.front(), value, gate, false, &with_reference);
    handover->kept = std::move(with_reference.kept);
    return y;
  }
  const std::int64_t frames = value.size(1) - 1;
  return at::cat({scan(directions_.front(), value.narrow(1, 0, 1), gate.narrow(1, 0, 1), false, nullptr),
                  scan(directions_.front(), value.narrow(1, 1, frames), gate.narrow(1, 1, frames), false, handover)},
                 1);
}

at::Tensor Mamba::scan(const Direction& direction, const at::Tensor& value, const at::Tensor& gate, bool reversed,
                       MambaHandover* handover) const {
  const at::Tensor before = handover != nullptr ? handover->start.inputs : at::Tensor();
  const at::Tensor x = nn::causal_convolution(value, direction.conv_weight, direction.conv_bias, reversed, before);
  const at::Tensor columns = (*direction.x_proj)(x);
  const nn::SelectiveScan scan{.x = x,
                               .step = (*direction.dt_proj)(columns.narrow(3, 0, dt_rank_).contiguous()),
                               .b = columns.narrow(3, dt_rank_, d_state_),
                               .c = columns.narrow(3, dt_rank_ + d_state_, d_state_),
                               .gate = gate,
                               .step_bias = direction.step_bias,
                               .a = -at::exp(direction.a_log),
                               .skip = direction.skip,
                               .reversed = reversed};
  if (handover == nullptr) return nn::selective_scan(scan);
  nn::ScanHandover states{handover->start.states, handover->keep_after, {}};
  at::Tensor y = nn::selective_scan(scan, &states);
  if (handover->keep_after > 0) {
    handover->kept = {inputs_before(value, before, handover->keep_after), states.kept};
  }
  return y;
}

}  // namespace unianimate::models
