// The random draws of one item and the latent that sampling starts from.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <functional>

#include "unianimate/diffusion/level.h"
#include "unianimate/fields/words.h"

namespace unianimate::diffusion {

/// Everything random in one item, in the published order of draws, so that one seed gives one video.
struct ItemNoise {
  at::Tensor posterior;     ///< (1, C, h, w) for the autoencoder's sample of the reference
  at::Tensor latent;        ///< (1, C, F, h, w)
  at::Tensor offset;        ///< (1, C, F, 1, 1), a constant shift of each channel of each frame
  at::Generator generator;  ///< the device's, after these draws: what the sampler draws goes on from here

  /// Of some of the frames; shares memory.
  [[nodiscard]] ItemNoise of_frames(std::int64_t first, std::int64_t count) const;
};

/// Draws all three for a latent of `shape` (1, C, F, h, w) after seeding. The first two come from the CPU generator,
/// the offset from `device`'s, as the published code has it; all are returned on `device`, in 32-bit floats.
ItemNoise draw_item_noise(std::uint64_t seed, at::IntArrayRef shape, at::Device device);

/// The same for clips of any length: the latent noise is drawn into `latent` (1, C, F, h, w), contiguous, on the CPU,
/// piece by piece, with `touched` called after each, and everything is returned on the CPU.
ItemNoise draw_item_noise_into(const at::Tensor& latent, std::uint64_t seed, at::Device device,
                               const std::function<void()>& touched);

/// Fills a contiguous tensor of 32-bit floats on the generator's device with what at::randn of its size would draw,
/// piece by piece, with `touched` called after each.
void fill_normal(const at::Tensor& tensor, const at::Generator& generator, const std::function<void()>& touched);

/// Where the offset noise is added; the published short-clip and long-video scripts differ.
enum class NoisePriorOrder {
  kShort,  ///< q_sample(reference, t, latent noise + 0.1·offset)
  kLong,   ///< q_sample(reference, t, latent noise) + 0.1·offset
};

constexpr auto words(NoisePriorOrder /*of*/) {
  return std::array<fields::Word<NoisePriorOrder>, 2>{
      {{NoisePriorOrder::kShort, "short"}, {NoisePriorOrder::kLong, "long"}}};
}

/// The noise prior: the reference latent (1, C, h, w), repeated over the frames, with the noise of `prior` (published:
/// that of timestep 949 short, 939 long). -> (1, C, F, h, w)
at::Tensor start_latent(const Level& prior, const at::Tensor& reference_latent, const ItemNoise& noise,
                        NoisePriorOrder order);

}  // namespace unianimate::diffusion
