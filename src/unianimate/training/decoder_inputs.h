// What trainings of decoders have in common: pieces of pictures, latents with errors, and what is lost at edges.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "unianimate/core/random_stream.h"

namespace unianimate::training {

/// Pieces of the pictures that training looks at for a while: small ones first make it fast. Half of each picture's
/// area is looked at, by as many pieces as that takes.
struct CropPhase {
  double until = 1;  ///< share of the training
  int width = 0;     ///< pixels, multiples of the autoencoder's downscale; the whole picture where 0
  int height = 0;
};

/// Of each of `aligned`, which are (N, C, H, W) and show the same, the same pieces of what the phase at `progress` of
/// the training says; all of them where that is whole pictures.
std::vector<at::Tensor> random_pieces(std::vector<at::Tensor> aligned, const std::vector<CropPhase>& phases,
                                      double progress, RandomStream& random);

/// Latents (N, C, h, w) a little off, as a denoiser makes them: with noise whose deviation, in units of each channel's
/// own, is drawn for each picture between 0 and `largest`. Nothing is drawn where that is 0.
at::Tensor with_errors(const at::Tensor& latents, double largest, const at::Generator& generator);

/// Mean absolute difference of the steps between neighbouring pixels, along both axes, of pictures (N, C, H, W).
at::Tensor edge_error(const at::Tensor& a, const at::Tensor& b);

/// dB of errors of values between 0 and 1.
double psnr_of(double mean_squared_error);

}  // namespace unianimate::training
