// The models with random weights, ready to be timed, beside the best rates that the same machine reaches.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>

#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::benchmarks {

/// How often work is run: at least so many times and for so long, after one run that warms up.
struct Pace {
  int repeat = 3;
  double seconds = 1;
};

/// Seconds of the fastest run. What `work` returns is waited for.
double best_seconds(const Pace& pace, const std::function<at::Tensor()>& work);

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

/// Decoding `frames` latents of h × w at once.
class DecoderCall {
 public:
  DecoderCall(const models::AutoencoderConfig& config, std::int64_t frames, std::int64_t h, std::int64_t w,
              const at::TensorOptions& options);
  at::Tensor operator()() const { return autoencoder_.decode(latent_); }
  [[nodiscard]] double operations() const;

 private:
  models::Autoencoder autoencoder_;
  at::Tensor latent_;
};

}  // namespace unianimate::benchmarks
