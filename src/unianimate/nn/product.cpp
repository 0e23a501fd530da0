#include "unianimate/nn/product.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "unianimate/nn/ops/in_floats.h"
#include "unianimate/nn/ops/linear.h"
#include "unianimate/nn/ops/residual.h"
#include "unianimate/nn/ops/upsampled_convolution.h"

namespace unianimate::nn {

namespace {

/// As two axes, or four for a convolution.
at::Tensor with_axes(const at::Tensor& weight, bool convolution) {
  if (!convolution) return weight.flatten(1);
  return weight.dim() == 5 ? weight.squeeze(4) : weight;
}

double relative_distance(const at::Tensor& x, const at::Tensor& exact) {
  const auto norm = exact.to(at::kDouble).norm().item<double>();
  const auto distance = (x.to(at::kDouble) - exact.to(at::kDouble)).norm().item<double>();
  const double relative = distance == 0 ? 0 : distance / norm;
  return std::isnan(relative) ? std::numeric_limits<double>::infinity() : relative;
}

}  // namespace

const Int8Activations& SharedInput::in_int8() const {
  if (!int8_) int8_ = quantize_activations(x_.contiguous());
  return *int8_;
}

Product::Product(at::Tensor weight, at::Tensor bias, std::optional<Convolution> convolution)
    : weight_(std::move(weight)), bias_(std::move(bias)), convolution_(convolution) {}

at::Tensor Product::operator()(const at::Tensor& x) const {
  if (packed_) return in_int8(x, *packed_);
  at::Tensor y = exact(x, bias_);
  if (measure_) measure_->worst = std::max(measure_->worst, relative_distance(in_int8(x, measure_->packed), y));
  return y;
}

at::Tensor Product::operator()(const SharedInput& x) const {
  return packed_ ? int8_linear(x.in_int8(), *packed_, x.exact().scalar_type()) : (*this)(x.exact());
}

at::Tensor Product::plus(const at::Tensor& x, const at::Tensor& residual) const {
  if (packed_ || measure_) return (*this)(x) + residual;
  return linear(x, with_axes(weight_, false), bias_, residual);
}

BeforeBias Product::before_bias(const at::Tensor& x) const {
  if (packed_ || measure_ || !bias_.defined() || !leaves_bias(x, {weight_, bias_})) return {(*this)(x), {}};
  return {exact(x, {}), bias_};
}

at::Tensor Product::of_upsampled(const at::Tensor& x) const {
  // 8 bits are of the weights as they are, and measured so.
  return packed_ || measure_ ? (*this)(upsample_nearest_2x(x)) : convolve_upsampled(x, weight_, bias_);
}

void Product::use_int8(const Int8Weight& weight) {
  packed_ = pack(weight);
  const at::NoGradGuard no_grad;
  weight_.set_();
}

void Product::measure_int8() {
  measure_ = Measure{pack(quantize_weight(weight_))};
}

double Product::take_int8_error() {
  return std::exchange(measure_, std::nullopt).value_or(Measure()).worst;
}

PackedInt8 Product::pack(const Int8Weight& weight) const {
  const Int8Weight seen{with_axes(weight.values, convolution_.has_value()), weight.scales};
  return convolution_ ? pack_int8_conv(seen, bias_, *convolution_) : pack_int8_linear(seen, bias_);
}

at::Tensor Product::exact(const at::Tensor& x, const at::Tensor& bias) const {
  const at::Tensor weight = with_axes(weight_, convolution_.has_value());
  return convolution_ ? convolve(x, weight, bias, *convolution_) : linear(x, weight, bias);
}

at::Tensor Product::in_int8(const at::Tensor& x, const PackedInt8& packed) const {
  return convolution_ ? int8_conv(x, packed, *convolution_) : int8_linear(x, packed);
}

std::int64_t bytes_beside_product(std::int64_t weight_elements, const at::Device& device, at::ScalarType dtype) {
  return device.is_cpu() && dtype == at::kBFloat16 ? bytes_in_floats(weight_elements) : 0;
}

}  // namespace unianimate::nn
