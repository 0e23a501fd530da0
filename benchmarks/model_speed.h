// The models with random weights, ready to be timed, beside the best rates that the same machine reaches.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>

#include "unianimate/core/named_tensor.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/autoencoder/cost.h"
#include "unianimate/models/int8_candidates.h"
#include "unianimate/models/unet/unet.h"
#include "unianimate/nn/product.h"

namespace unianimate::benchmarks {

/// How often work is run: at least so many times and for so long, after one run that warms up.
struct Pace {
  int repeat = 3;
  double seconds = 1;
};

/// Seconds of the fastest run. What `work` returns is waited for.
double best_seconds(const Pace& pace, const std::function<at::Tensor()>& work);

/// Weights with which activations keep their size and stay numbers in fp16.
void fill_with_numbers(const NamedTensors& parameters);

/// FLOP/s, a multiply-add counted as two.
struct BestRates {
  double convolution = 0;  ///< 3×3, 320 to 320 channels
  double product = 0;      ///< of matrices
  [[nodiscard]] double best() const { return convolution > product ? convolution : product; }
};

/// Of sizes that the UNet has on a CPU, and of ones that fill a card on a card.
/// `int8`: in 8 bits, from and to what `options` say.
BestRates measure_best_rates(const at::TensorOptions& options, const Pace& pace, bool int8 = false);

/// One call of the UNet with all of {image, randomref, dwpose}.
class UNetCall {
 public:
  /// The reference's frame is counted in `operations` and not in `shape`.
  UNetCall(const models::UNetConfig& config, const models::LatentShape& shape, const at::TensorOptions& options);
  /// From now on multiplies in 8 bits wherever the UNet may.
  void use_int8();
  at::Tensor operator()() const { return unet_(x_, timesteps_, encoded_); }
  [[nodiscard]] double operations() const;

 private:
  models::LatentShape shape_;
  models::UNet unet_;
  models::EncodedConditions encoded_;
  at::Tensor x_;
  at::Tensor timesteps_;
};

/// Decoding `frames` latents of h × w at once, by a models::Autoencoder or models::SmallDecoder.
template <typename Model>
class DecoderCall {
 public:
  template <typename Config>
  DecoderCall(const Config& config, std::int64_t frames, std::int64_t h, std::int64_t w,
              const at::TensorOptions& options)
      : model_(config, options), latent_(at::randn({frames, config.z_channels, h, w}, options.dtype(at::kFloat))) {
    fill_with_numbers(model_.named_parameters());
  }
  at::Tensor operator()() const { return model_.decode(latent_); }
  /// From now on multiplies in 8 bits wherever the autoencoder may.
  void use_int8() {
    for (const nn::NamedProduct& layer : models::int8_candidates(model_)) layer.product->use_int8();
  }
  [[nodiscard]] double operations() const {
    return static_cast<double>(latent_.size(0)) *
           models::decoder_operations(model_.config(), latent_.size(2), latent_.size(3));
  }

 private:
  Model model_;
  at::Tensor latent_;
};

}  // namespace unianimate::benchmarks
