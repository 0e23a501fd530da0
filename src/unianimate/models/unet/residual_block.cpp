#include "unianimate/models/unet/residual_block.h"

#include <algorithm>
#include <utility>

#include "unianimate/nn/in_parts.h"

namespace unianimate::models {

namespace {

constexpr double kResidualNormEps = 1e-5;

}  // namespace

TemporalConvolution::Layer::Layer(std::int64_t channels, std::int64_t norm_groups, const at::TensorOptions& options)
    : norm(norm_groups, channels, kResidualNormEps, options), conv(channels, channels, options) {}

TemporalConvolution::TemporalConvolution(std::int64_t channels, std::int64_t norm_groups,
                                         const at::TensorOptions& options)
    : conv1_(channels, norm_groups, options),
      conv2_(channels, norm_groups, options),
      conv3_(channels, norm_groups, options),
      conv4_(channels, norm_groups, options) {
  // The later three have a dropout between activation and convolution, which shifts the name.
  register_child("conv1.0", conv1_.norm);
  register_child("conv1.2", conv1_.conv);
  register_child("conv2.0", conv2_.norm);
  register_child("conv2.3", conv2_.conv);
  register_child("conv3.0", conv3_.norm);
  register_child("conv3.3", conv3_.conv);
  register_child("conv4.0", conv4_.norm);
  register_child("conv4.3", conv4_.conv);
}

at::Tensor TemporalConvolution::operator()(const at::Tensor& x) const {
  nn::BeforeBias y{x, {}};
  for (const Layer* layer : {&conv1_, &conv2_, &conv3_, &conv4_}) y = (*layer)(y);
  return y + x;
}

ResBlock::ResBlock(std::int64_t in, std::int64_t out, std::int64_t time_dim, std::int64_t norm_groups,
                   const at::TensorOptions& options)
    : in_norm_(norm_groups, in, kResidualNormEps, options),
      in_conv_(in, out, options),
      emb_(time_dim, out, true, options),
      out_norm_(norm_groups, out, kResidualNormEps, options),
      out_conv_(out, out, options),
      temporal_(out, norm_groups, options) {
  register_child("in_layers.0", in_norm_);
  register_child("in_layers.2", in_conv_);
  register_child("emb_layers.1", emb_);
  register_child("out_layers.0", out_norm_);
  register_child("out_layers.3", out_conv_);
  if (in != out) register_child("skip_connection", skip_.emplace(in, out, 2, options));
  register_child("temopral_conv", temporal_);
}

at::Tensor ResBlock::within_frames(at::Tensor x, const at::Tensor& embedding) const {
  at::Tensor skip = skip_ ? (*skip_)(x) : x;
  at::Tensor h = in_norm_.silu(nn::frames_as_batch(std::exchange(x, at::Tensor())));
  h = out_norm_.silu(in_conv_.before_bias(h), embedding).view(skip.sizes());
  return out_conv_.before_bias(h) + std::exchange(skip, at::Tensor());
}

at::Tensor ResBlock::operator()(at::Tensor x, at::Tensor beside, const at::Tensor& silu_time) const {
  const at::Tensor embedding = emb_(silu_time);
  const std::int64_t in = x.size(-1) + (beside.defined() ? beside.size(-1) : 0);
  const std::int64_t widest = (std::max(in, embedding.size(-1)) + x.size(-1) - 1) / x.size(-1);
  const auto part = [&](std::int64_t first, std::int64_t count) {
    at::Tensor frames = x.narrow(1, first, count).contiguous();
    if (beside.defined()) frames = at::cat({frames, beside.narrow(1, first, count)}, -1);
    return within_frames(std::move(frames), embedding);
  };
  const at::Tensor h = nn::in_parts(x, 1, part, widest);
  x.reset();
  beside.reset();
  return temporal_(h);
}

Downsample::Downsample(std::int64_t channels, const at::TensorOptions& options)
    : op_(channels, channels, {.kernel = 3, .stride = 2, .padding = 1}, options) {
  register_child("op", op_);
}

at::Tensor Downsample::operator()(const at::Tensor& x) const {
  return nn::frames_in_parts(x, [&](const at::Tensor& frames) { return op_(frames); });
}

Upsample::Upsample(std::int64_t channels, const at::TensorOptions& options) : conv_(channels, channels, options) {
  register_child("conv", conv_);
}

at::Tensor Upsample::operator()(const at::Tensor& x) const {
  // Parts by the size of x: each adds up the weights anew.
  return nn::frames_in_parts(x, [&](const at::Tensor& frames) { return conv_.of_upsampled(frames); });
}

}  // namespace unianimate::models
