// A family of models small enough to work out by hand, and unlike the published one in everything that a pipeline might
// take for granted: a latent stands for four frames but the first for one, noise comes by flow matching, and the
// decoder carries state from latent to latent.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "unianimate/family/family.h"

namespace unianimate::testing {

constexpr std::int64_t kToyChannels = 2;
constexpr std::int64_t kToyPixelsPerLatent = 4;

/// The velocity that the toy's model predicts for one window x (1, 2, n, h, w): depends on all of it. `brightness`: of
/// the poses of each latent, (n). `first_frame`: brightness of what the clip begins with. `features`: toy_features(x),
/// or those of an earlier time.
at::Tensor toy_velocity(const at::Tensor& x, double time, const at::Tensor& brightness, double first_frame,
                        bool conditional, const at::Tensor& features);

/// What it has to say of a window as a whole, the deep part: (1, 2, 1, h, w).
at::Tensor toy_features(const at::Tensor& x);
/// Its state after each latent of x that follows latents which left `before` (1, 2, h, w), or nothing where that is
/// undefined: (1, 2, n, h, w).
at::Tensor toy_states(const at::Tensor& before, const at::Tensor& x);
/// By how much they count in the velocity where states are carried.
constexpr double kToyStateShare = 0.125;
/// What is left of a pass without them.
constexpr double kToyShareAboveFeatures = 0.25;

/// Of decoding one element of a latent.
constexpr double kToyDecoderOperations = 3;
/// What it says that its work takes.
constexpr family::WorkSeconds kToySeconds{.load_encoders = 1,
                                          .encode = 2,
                                          .load_denoiser = 4,
                                          .prepare_denoiser = 64,
                                          .pass = 8,
                                          .load_decoder = 16,
                                          .prepare_decoder = 128,
                                          .decode = 32};

/// Of all pixels, 0 … 1.
double brightness_of(const Image& picture);

/// What sampling starts from.
void toy_start(const at::Tensor& x, at::Generator& generator, double person);

/// The decoder's state after one more latent (2, h, w); undefined before the first.
at::Tensor toy_state(const at::Tensor& before, const at::Tensor& latent);
/// One of the frames that follow from a state, number `index` of them.
Image toy_frame(const at::Tensor& state, int index);

/// Sides are multiples of 8.
std::unique_ptr<family::Family> make_toy_family(const family::RuntimeOptions& options);

}  // namespace unianimate::testing
