#include "unianimate/nn/ops/int8.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

using Integers = c10::List<std::int64_t>;
using Scalars = c10::List<std::optional<at::Scalar>>;
using OptionalTensor = std::optional<at::Tensor>;

// The library exports no symbols for these, so they are looked up by their operators' names.
using Linear = at::Tensor(at::Tensor, double, std::int64_t, at::Tensor, at::Tensor, at::Tensor, OptionalTensor, double,
                          std::int64_t, std::optional<at::ScalarType>, c10::string_view, Scalars, c10::string_view);
using PackConv = at::Tensor(at::Tensor, at::Tensor, double, std::int64_t, Integers, Integers, Integers, std::int64_t,
                            std::optional<Integers>);
using Conv = at::Tensor(at::Tensor, double, std::int64_t, at::Tensor, at::Tensor, at::Tensor, OptionalTensor, Integers,
                        Integers, Integers, std::int64_t, double, std::int64_t, std::optional<at::ScalarType>,
                        c10::string_view, Scalars, std::optional<c10::string_view>);

template <typename Signature>
auto find_operator(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

constexpr double kHighestWeight = 127;
constexpr int kHighestByte = 255;
constexpr int kHighestOf7Bits = 127;

Integers integers(const std::array<std::int64_t, 2>& values) {
  return Integers({values[0], values[1]});
}

/// (out) beside a tensor (out, …).
at::Tensor beside(const at::Tensor& per_channel, const at::Tensor& x) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[0] = -1;
  return per_channel.view(shape);
}

PackedInt8 packed(at::Tensor weight, const Int8Weight& from, const at::Tensor& bias) {
  return {std::move(weight), from.scales, at::zeros({from.scales.size(0)}, at::kInt),
          bias.defined() ? bias.to(at::kFloat) : at::Tensor()};
}

at::Tensor multiply(const Int8Activations& x, const PackedInt8& packed, at::ScalarType type) {
  static const auto kOperator = find_operator<Linear>("onednn::qlinear_pointwise");
  return kOperator.call(x.values, x.scale, x.zero, packed.weight, packed.scales, packed.zeros, optional_of(packed.bias),
                        1.0, 0, type, "none", Scalars(), "");
}

/// Whether oneDNN adds neighbouring products in 16 bits, found out by a product that then does not fit.
bool sums_saturate() {
  constexpr std::int64_t kWidth = 64;
  const Int8Weight weight{at::full({kWidth, kWidth}, kHighestOf7Bits, at::kChar), at::ones({kWidth}, at::kFloat)};
  const Int8Activations x{at::full({kWidth, kWidth}, kHighestByte, at::kByte), 1, 0};
  const at::Tensor y = multiply(x, pack_int8_linear(weight, {}), at::kFloat);
  return y.min().item<double>() < static_cast<double>(kWidth) * kHighestByte * kHighestOf7Bits;
}

std::pair<float, float> value_range(const at::Tensor& x, const Ops& ops) {
  if (ops.value_range != nullptr) {
    ValueRange range{.count = x.numel(), .x = x.data_ptr()};
    ops.value_range(range, on_aten_threads);
    return {range.low, range.high};
  }
  const auto [low, high] = at::aminmax(x);
  return {low.to(at::kFloat).item<float>(), high.to(at::kFloat).item<float>()};
}

}  // namespace

int highest_int8_activation() {
  static const int kHighest = sums_saturate() ? kHighestOf7Bits : kHighestByte;
  return kHighest;
}

Int8Activations quantize_activations(const at::Tensor& x) {
  RECORD_USER_SCOPE("unianimate::quantize");
  const Ops& ops = ops_for(x);
  const int highest = highest_int8_activation();
  const auto [least, most] = value_range(x, ops);
  const double low = std::min(0.0, static_cast<double>(least));
  const double high = std::max(0.0, static_cast<double>(most));
  Int8Activations result{at::empty_like(x, x.options().dtype(at::kByte)), (high - low) / highest, 0};
  if (!std::isfinite(least) || !std::isfinite(most)) {
    result.values.zero_();
    result.scale = std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  // Values that are all 0, or so small that their steps are no numbers, are 0.
  if (!std::isnormal(static_cast<float>(result.scale))) {
    result.values.zero_();
    result.scale = 1;
    return result;
  }
  result.zero = std::lround(-low / result.scale);
  if (ops.quantize != nullptr) {
    ops.quantize({.count = x.numel(),
                  .x = x.data_ptr(),
                  .inverse_scale = static_cast<float>(1 / result.scale),
                  .zero = static_cast<float>(result.zero),
                  .highest = static_cast<float>(highest),
                  .out = static_cast<std::uint8_t*>(result.values.data_ptr())},
                 on_aten_threads);
  } else {
    const at::Tensor steps = x.to(at::kFloat).mul(1 / result.scale).add_(static_cast<double>(result.zero)).round_();
    result.values.copy_(steps.clamp_(0, highest));
  }
  return result;
}

Int8Weight quantize_weight(const at::Tensor& weight) {
  const at::Tensor exact = weight.detach().to(at::kFloat).nan_to_num();
  const at::Tensor largest = exact.flatten(1).abs().amax(1);
  // Channels of zeros alone have any scale.
  const at::Tensor scales = at::where(largest > 0, largest / kHighestWeight, 1.0)
                                .to(at::kFloat)
                                .clamp_min_(static_cast<double>(std::numeric_limits<float>::min()));
  return {(exact / beside(scales, exact)).round_().clamp_(-kHighestWeight, kHighestWeight).to(at::kChar), scales};
}

at::Tensor dequantize(const Int8Weight& weight) {
  return weight.values.to(at::kFloat) * beside(weight.scales, weight.values);
}

PackedInt8 pack_int8_linear(const Int8Weight& weight, const at::Tensor& bias) {
  static const auto kOperator = c10::Dispatcher::singleton().findSchemaOrThrow("onednn::qlinear_prepack", "");
  torch::jit::Stack stack{weight.values.contiguous(), c10::IValue()};
  kOperator.callBoxed(stack);
  return packed(stack.front().toTensor(), weight, bias);
}

at::Tensor int8_linear(const at::Tensor& x, const PackedInt8& packed) {
  return int8_linear(quantize_activations(x.contiguous()), packed, x.scalar_type());
}

at::Tensor int8_linear(const Int8Activations& x, const PackedInt8& packed, at::ScalarType type) {
  RECORD_USER_SCOPE("unianimate::int8_linear");
  return multiply(x, packed, type);
}

PackedInt8 pack_int8_conv(const Int8Weight& weight, const at::Tensor& bias, const Convolution& convolution) {
  static const auto kOperator = find_operator<PackConv>("onednn::qconv_prepack");
  // Which scale and zero the activations have says each call anew.
  const at::Tensor values = weight.values.contiguous(at::MemoryFormat::ChannelsLast);
  return packed(kOperator.call(values, weight.scales, 1.0, 1, integers(convolution.stride),
                               integers(convolution.padding), integers({1, 1}), 1, std::nullopt),
                weight, bias);
}

at::Tensor int8_conv(const at::Tensor& x, const PackedInt8& packed, const Convolution& convolution) {
  RECORD_USER_SCOPE("unianimate::int8_conv");
  static const auto kOperator = find_operator<Conv>("onednn::qconv2d_pointwise");
  const std::int64_t added = columns_to_add(x, packed.weight.size(3), convolution);
  const at::Tensor widened = added > 0 ? at::constant_pad_nd(x, {0, added}) : x;
  const Int8Activations quantized = quantize_activations(widened.contiguous(at::MemoryFormat::ChannelsLast));
  const at::Tensor y =
      kOperator.call(quantized.values, quantized.scale, quantized.zero, packed.weight, packed.scales, packed.zeros,
                     optional_of(packed.bias), integers(convolution.stride), integers(convolution.padding),
                     integers({1, 1}), 1, 1.0, 0, x.scalar_type(), "none", Scalars(), std::nullopt);
  return added > 0 ? y.narrow(3, 0, 1) : y;
}

}  // namespace unianimate::nn
