// How much of a noisy latent is picture and how much is noise, whatever a model calls that.
#pragma once

#include <ATen/ATen.h>

#include <cmath>

namespace unianimate::diffusion {

/// A noisy latent is x = signal · x0 + noise · eps with eps of N(0, 1). Variance-preserving diffusion has powers that
/// add up to 1 (ᾱ and 1 − ᾱ), flow matching has signal 1 − t and noise t. The powers are kept and the roots taken,
/// because samplers need both and a root that is squared again is another number.
struct Level {
  double time = 0;          ///< what the model is told
  double signal_power = 1;  ///< signal²
  double noise_power = 0;   ///< noise²

  [[nodiscard]] double signal() const { return std::sqrt(signal_power); }
  [[nodiscard]] double noise() const { return std::sqrt(noise_power); }
};

/// What a model's output says of a noisy latent, both of its shape. Each is made from the output itself: where signal
/// or noise is 0, one cannot be had from the other.
struct Prediction {
  at::Tensor x0;   ///< the clean latent
  at::Tensor eps;  ///< the noise
};

/// The clean latent x0 with noise. Shapes broadcast.
inline at::Tensor noised(const Level& level, const at::Tensor& x0, const at::Tensor& eps) {
  return level.signal() * x0 + level.noise() * eps;
}

/// From v = signal · eps − noise · x0, where the powers add up to 1 (Salimans and Ho, ICLR 2022).
inline Prediction prediction_from_v(const Level& level, const at::Tensor& x, const at::Tensor& v) {
  return {level.signal() * x - level.noise() * v, level.signal() * v + level.noise() * x};
}

/// From the clean latent itself; noise is above 0.
inline Prediction prediction_from_clean(const Level& level, const at::Tensor& x, const at::Tensor& x0) {
  return {x0, (x - level.signal() * x0) / level.noise()};
}

/// From the velocity eps − x0, where signal and noise add up to 1 (Lipman et al., ICLR 2023).
inline Prediction prediction_from_velocity(const Level& level, const at::Tensor& x, const at::Tensor& velocity) {
  return {x - level.noise() * velocity, x + level.signal() * velocity};
}

}  // namespace unianimate::diffusion
