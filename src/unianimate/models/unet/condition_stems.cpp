#include "unianimate/models/unet/condition_stems.h"

#include <algorithm>
#include <vector>

#include "unianimate/nn/ops/attention.h"

namespace unianimate::models {

namespace {

constexpr std::int64_t kStemWidth = 32;
constexpr std::int64_t kHeads = 2;
/// Pictures embedded at once: full-size features of all frames together would not fit in memory beside the UNet.
constexpr std::int64_t kPicturesAtOnce = 4;
constexpr nn::Conv2d::Shape kHalving{.kernel = 3, .stride = 2, .padding = 1};

}  // namespace

PictureStem::PictureStem(std::int64_t out, const at::TensorOptions& options)
    : conv0_(3, kStemWidth, options),
      conv3_(kStemWidth, kStemWidth, kHalving, options),
      conv5_(kStemWidth, out, kHalving, options) {
  register_child("0", conv0_);
  register_child("3", conv3_);
  register_child("5", conv5_);
}

at::Tensor PictureStem::embed(const at::Tensor& pictures, std::int64_t h, std::int64_t w) const {
  at::Tensor x = at::silu(conv0_(pictures));
  x = at::adaptive_avg_pool2d(x.permute({0, 3, 1, 2}), {4 * h, 4 * w}).permute({0, 2, 3, 1}).contiguous();
  x = at::silu(conv3_(x));
  return conv5_(x);
}

at::Tensor PictureStem::operator()(const at::Tensor& pictures, std::int64_t h, std::int64_t w) const {
  const at::Tensor batch = nn::frames_as_batch(pictures);
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : batch.split(kPicturesAtOnce)) parts.push_back(embed(part, h, w));
  return at::cat(parts).view({pictures.size(0), pictures.size(1), h, w, -1});
}

LatentStem::LatentStem(std::int64_t out, const at::TensorOptions& options)
    : conv0_(4, kStemWidth, options), conv2_(kStemWidth, kStemWidth, options), conv4_(kStemWidth, out, options) {
  register_child("0", conv0_);
  register_child("2", conv2_);
  register_child("4", conv4_);
}

at::Tensor LatentStem::operator()(const at::Tensor& latents) const {
  return conv4_(at::silu(conv2_(at::silu(conv0_(latents)))));
}

StemTransformer::StemTransformer(std::int64_t channels, const at::TensorOptions& options)
    : channels_(channels),
      norm_(channels, options),
      to_qkv_(channels, 3 * kHeads * channels, false, options),
      to_out_(kHeads * channels, channels, true, options),
      widen_(channels, 4 * channels, true, options),
      narrow_(4 * channels, channels, true, options) {
  register_child("layers.0.0.norm", norm_);
  register_child("layers.0.0.fn.to_qkv", to_qkv_);
  register_child("layers.0.0.fn.to_out.0", to_out_);
  register_child("layers.0.1.net.0.0", widen_);
  register_child("layers.0.1.net.2", narrow_);
}

at::Tensor StemTransformer::operator()(const at::Tensor& clip) const {
  const std::int64_t b = clip.size(0);
  const std::int64_t f = clip.size(1);
  at::Tensor x = clip.flatten(2, 3);
  const at::Tensor qkv = to_qkv_(norm_(x)).view({b, f, -1, 3, kHeads, channels_});
  const at::Tensor attended = nn::frame_attention(qkv.select(3, 0), qkv.select(3, 1), qkv.select(3, 2));
  x = x + to_out_(attended.flatten(3));
  x = x + narrow_(at::gelu(widen_(x)));
  return x.view(clip.sizes());
}

}  // namespace unianimate::models
