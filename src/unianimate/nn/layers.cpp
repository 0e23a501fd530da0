#include "unianimate/nn/layers.h"

#include <optional>
#include <vector>

#include "unianimate/nn/ops/group_norm.h"
#include "unianimate/nn/ops/residual.h"

namespace unianimate::nn {

namespace {

constexpr double kLayerNormEps = 1e-5;

/// (N, h, w, C) as the NCHW tensor with channels-last strides that ATen's convolutions want; a view.
at::Tensor as_nchw(const at::Tensor& x) {
  return x.permute({0, 3, 1, 2});
}
at::Tensor as_nhwc(const at::Tensor& x) {
  return x.permute({0, 2, 3, 1}).contiguous();
}

/// Applies `f`, which maps (N, h, w, C) pictures, to pictures or frame by frame to a clip.
template <typename F>
at::Tensor frame_by_frame(const at::Tensor& x, F&& f) {
  if (x.dim() == 4) return f(x);
  const at::Tensor y = f(frames_as_batch(x));
  return y.view({x.size(0), x.size(1), y.size(1), y.size(2), y.size(3)});
}

}  // namespace

at::Tensor frames_as_batch(const at::Tensor& clip) {
  return clip.flatten(0, 1);
}

Linear::Linear(std::int64_t in, std::int64_t out, bool bias, const at::TensorOptions& options)
    : Linear({out, in}, bias, options) {}

Linear::Linear(at::IntArrayRef weight_shape, bool bias, const at::TensorOptions& options) {
  const at::Tensor weight = register_parameter("weight", weight_shape, options);
  product_ = register_product(std::make_shared<Product>(
      weight, bias ? register_parameter("bias", {weight_shape[0]}, options) : at::Tensor(), std::nullopt));
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return (*product_)(x);
}

at::Tensor Linear::operator()(const SharedInput& x) const {
  return (*product_)(x);
}

at::Tensor Linear::plus(const at::Tensor& x, const at::Tensor& residual) const {
  return product_->plus(x, residual);
}

PointwiseConv::PointwiseConv(std::int64_t in, std::int64_t out, int spatial_axes, const at::TensorOptions& options)
    : Linear(spatial_axes == 1 ? std::vector<std::int64_t>{out, in, 1} : std::vector<std::int64_t>{out, in, 1, 1}, true,
             options) {}

Conv2d::Conv2d(std::int64_t in, std::int64_t out, const Shape& shape, const at::TensorOptions& options) {
  const at::Tensor weight = register_parameter("weight", {out, in, shape.kernel, shape.kernel},
                                               options.memory_format(at::MemoryFormat::ChannelsLast));
  product_ = register_product(
      std::make_shared<Product>(weight, shape.bias ? register_parameter("bias", {out}, options) : at::Tensor(),
                                Convolution{{shape.stride, shape.stride}, {shape.padding, shape.padding}}));
}

at::Tensor operator+(const BeforeBias& convolved, const at::Tensor& residual) {
  return add_residual(convolved.x, convolved.bias, residual);
}

at::Tensor Conv2d::operator()(const at::Tensor& x) const {
  return frame_by_frame(x, [&](const at::Tensor& pictures) { return as_nhwc((*product_)(as_nchw(pictures))); });
}

BeforeBias Conv2d::before_bias(const at::Tensor& x) const {
  at::Tensor bias;
  const at::Tensor y = frame_by_frame(x, [&](const at::Tensor& pictures) {
    const BeforeBias convolved = product_->before_bias(as_nchw(pictures));
    bias = convolved.bias;
    return as_nhwc(convolved.x);
  });
  return {y, bias};
}

at::Tensor Conv2d::of_upsampled(const at::Tensor& x) const {
  return frame_by_frame(x,
                        [&](const at::Tensor& pictures) { return as_nhwc(product_->of_upsampled(as_nchw(pictures))); });
}

FrameConv::FrameConv(std::int64_t in, std::int64_t out, const at::TensorOptions& options) {
  const at::Tensor weight =
      register_parameter("weight", {out, in, 3, 1, 1}, options.memory_format(at::MemoryFormat::ChannelsLast3d));
  product_ = register_product(
      std::make_shared<Product>(weight, register_parameter("bias", {out}, options), Convolution{{1, 1}, {1, 0}}));
}

BeforeBias FrameConv::before_bias(const at::Tensor& x) const {
  // Frames as rows and pixels as columns make it a 2-D convolution with a kernel of 3×1.
  const auto [y, bias] = product_->before_bias(as_nchw(x.flatten(2, 3)));
  return {as_nhwc(y).view({x.size(0), x.size(1), x.size(2), x.size(3), y.size(1)}), bias};
}

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, double eps, const at::TensorOptions& options)
    : weight_(register_parameter("weight", {channels}, options)),
      bias_(register_parameter("bias", {channels}, options)),
      groups_(groups),
      eps_(eps) {}

at::Tensor GroupNorm::operator()(const at::Tensor& x) const {
  return group_norm(x, groups_, weight_, bias_, eps_, false);
}

at::Tensor GroupNorm::silu(const at::Tensor& x) const {
  return group_norm(x, groups_, weight_, bias_, eps_, true);
}

at::Tensor GroupNorm::silu(const BeforeBias& convolved, const at::Tensor& shift) const {
  const auto& [x, bias] = convolved;
  const at::Tensor whole_shift = !bias.defined() ? shift : shift.defined() ? shift + bias : bias.unsqueeze(0);
  return group_norm(x, groups_, weight_, bias_, eps_, true, whole_shift);
}

LayerNorm::LayerNorm(std::int64_t channels, const at::TensorOptions& options)
    : weight_(register_parameter("weight", {channels}, options)),
      bias_(register_parameter("bias", {channels}, options)) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return layer_norm(x, weight_, bias_, kLayerNormEps);
}

NormedSum LayerNorm::of_sum(const at::Tensor& x, const at::Tensor& added) const {
  return layer_norm_of_sum(x, added, weight_, bias_, kLayerNormEps);
}

}  // namespace unianimate::nn
