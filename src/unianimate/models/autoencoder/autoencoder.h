// The autoencoder between pictures and latents (first stage of Stable Diffusion 2.1).
#pragma once

#include <ATen/ATen.h>

#include "unianimate/models/autoencoder/blocks.h"
#include "unianimate/models/autoencoder/config.h"

namespace unianimate::models {

/// Parameters carry the published names without first_stage_model. Calls are const and thread-safe.
class Autoencoder : public nn::Module {
 public:
  /// Throws Error(kUsage) through config.check(). Parameters are made in `options`' dtype and on its device.
  Autoencoder(const AutoencoderConfig& config, const at::TensorOptions& options);

  [[nodiscard]] const AutoencoderConfig& config() const { return config_; }

  /// Mean and log-variance of the posterior: pictures (N, 3, H, W) in [-1, 1] -> (N, 2·z_channels, h, w).
  /// H and W must be multiples of config().downscale().
  [[nodiscard]] at::Tensor encode_moments(const at::Tensor& pictures) const;

  /// A scaled sample of the posterior in 32-bit floats: scale_factor · (mean + exp(½ logvar) · noise), logvar clamped
  /// to [-30, 20]. moments (N, 2·z_channels, h, w), noise (N, z_channels, h, w) of N(0, 1).
  [[nodiscard]] at::Tensor sample_latent(const at::Tensor& moments, const at::Tensor& noise) const;

  /// Scaled latents (N, z_channels, h, w) -> pictures (N, 3, H, W), about [-1, 1], in the parameters' dtype.
  [[nodiscard]] at::Tensor decode(const at::Tensor& latents) const;

 private:
  AutoencoderConfig config_;
  at::TensorOptions options_;
  Encoder encoder_;
  Decoder decoder_;
  nn::PointwiseConv quant_conv_;
  nn::PointwiseConv post_quant_conv_;
};

}  // namespace unianimate::models
