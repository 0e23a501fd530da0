#include "unianimate/diffusion/start_latent.h"

#include "unianimate/core/random.h"

namespace unianimate::diffusion {

namespace {

constexpr std::int64_t kLatentChannels = 4;
constexpr double kOffsetStrength = 0.1;

}  // namespace

ItemNoise draw_item_noise(std::uint64_t seed, std::int64_t frames, std::int64_t h, std::int64_t w, at::Device device) {
  at::Generator cpu = make_generator(seed);
  at::Generator own = device.is_cpu() ? cpu : make_generator(seed, device);
  const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat);
  ItemNoise noise;
  noise.posterior = at::randn({1, kLatentChannels, h, w}, cpu, options).to(device);
  noise.latent = at::randn({1, kLatentChannels, frames, h, w}, cpu, options).to(device);
  noise.offset = at::randn({1, kLatentChannels, frames, 1, 1}, own, options.device(device));
  noise.generator = own;
  return noise;
}

at::Tensor start_latent(const NoiseSchedule& schedule, const at::Tensor& reference_latent, const ItemNoise& noise,
                        std::int64_t timestep, NoisePriorOrder order) {
  const at::Tensor x0 = reference_latent.unsqueeze(2).expand(noise.latent.sizes());
  const at::Tensor offset = kOffsetStrength * noise.offset;
  if (order == NoisePriorOrder::kShort) return schedule.q_sample(x0, timestep, noise.latent + offset);
  return schedule.q_sample(x0, timestep, noise.latent) + offset;
}

}  // namespace unianimate::diffusion
