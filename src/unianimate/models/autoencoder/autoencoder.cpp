#include "unianimate/models/autoencoder/autoencoder.h"

namespace unianimate::models {

namespace {

at::Tensor channels_last(const at::Tensor& x) {
  return x.permute({0, 2, 3, 1}).contiguous();
}
at::Tensor channels_second(const at::Tensor& x) {
  return x.permute({0, 3, 1, 2});
}

}  // namespace

Autoencoder::Autoencoder(const AutoencoderConfig& config, const at::TensorOptions& options)
    : config_((config.check(), config)),
      options_(options),
      encoder_(config, options),
      decoder_(config, options),
      quant_conv_(2 * config.z_channels, 2 * config.z_channels, 2, options),
      post_quant_conv_(config.z_channels, config.z_channels, 2, options) {
  register_child("encoder", encoder_);
  register_child("decoder", decoder_);
  register_child("quant_conv", quant_conv_);
  register_child("post_quant_conv", post_quant_conv_);
}

at::Tensor Autoencoder::encode_moments(const at::Tensor& pictures) const {
  return channels_second(quant_conv_(encoder_(channels_last(pictures.to(options_)))));
}

at::Tensor Autoencoder::sample_latent(const at::Tensor& moments, const at::Tensor& noise) const {
  const std::vector<at::Tensor> halves = moments.to(at::kFloat).chunk(2, 1);
  const at::Tensor deviation = at::exp(0.5 * halves[1].clamp(-30.0, 20.0));
  return config_.scale_factor * (halves[0] + deviation * noise.to(halves[0].options()));
}

at::Tensor Autoencoder::decode(const at::Tensor& latents) const {
  const at::Tensor unscaled = (latents * (1.0 / config_.scale_factor)).to(options_);
  return channels_second(decoder_(post_quant_conv_(channels_last(unscaled))));
}

}  // namespace unianimate::models
