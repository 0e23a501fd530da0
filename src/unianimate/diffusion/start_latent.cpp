#include "unianimate/diffusion/start_latent.h"

#include "unianimate/core/error.h"
#include "unianimate/core/random.h"

namespace unianimate::diffusion {

namespace {

constexpr double kOffsetStrength = 0.1;

}  // namespace

ItemNoise draw_item_noise(std::uint64_t seed, at::IntArrayRef shape, at::Device device) {
  const at::Tensor latent = at::empty(shape, at::kFloat);
  ItemNoise noise = draw_item_noise_into(latent, seed, device, [] {});
  noise.posterior = noise.posterior.to(device);
  noise.latent = noise.latent.to(device);
  noise.offset = noise.offset.to(device);
  return noise;
}

ItemNoise ItemNoise::of_frames(std::int64_t first, std::int64_t count) const {
  return {posterior, latent.narrow(2, first, count), offset.narrow(2, first, count), generator};
}

ItemNoise draw_item_noise_into(const at::Tensor& latent, std::uint64_t seed, at::Device device,
                               const std::function<void()>& touched) {
  at::Generator cpu = make_generator(seed);
  at::Generator own = device.is_cpu() ? cpu : make_generator(seed, device);
  const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat);
  ItemNoise noise;
  noise.posterior = at::randn({1, latent.size(1), latent.size(3), latent.size(4)}, cpu, options);
  fill_normal(latent, cpu, touched);
  noise.latent = latent;
  noise.offset = at::randn({1, latent.size(1), latent.size(2), 1, 1}, own, options.device(device)).cpu();
  noise.generator = std::move(own);
  return noise;
}

void fill_normal(const at::Tensor& tensor, const at::Generator& generator, const std::function<void()>& touched) {
  // ATen draws in blocks of 16 and a short last block anew, so that pieces of whole blocks, the last of them with more
  // than one, draw what the whole would.
  constexpr std::int64_t kPiece = std::int64_t{1} << 20;
  const at::Tensor flat = tensor.view(-1);
  std::int64_t done = 0;
  while (done < flat.size(0)) {
    const std::int64_t left = flat.size(0) - done;
    const std::int64_t count = left < 2 * kPiece ? left : kPiece;
    flat.narrow(0, done, count).normal_(0, 1, generator);
    done += count;
    touched();
  }
}

at::Tensor start_latent(const Level& prior, const at::Tensor& reference_latent, const ItemNoise& noise,
                        NoisePriorOrder order) {
  const at::Tensor x0 = reference_latent.unsqueeze(2).expand(noise.latent.sizes());
  const at::Tensor offset = kOffsetStrength * noise.offset;
  if (order == NoisePriorOrder::kShort) return noised(prior, x0, noise.latent + offset);
  return noised(prior, x0, noise.latent) + offset;
}

}  // namespace unianimate::diffusion
