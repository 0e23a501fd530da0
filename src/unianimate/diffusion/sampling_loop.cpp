#include "unianimate/diffusion/sampling_loop.h"

#include <algorithm>

#include "unianimate/diffusion/start_latent.h"

namespace unianimate::diffusion {

namespace {

/// The numbers of one randn on the generator's device.
void draw(const at::Tensor& noise, const at::Generator& generator, SamplingObserver& observer) {
  if (noise.is_cpu() && generator.device().is_cpu()) {
    fill_normal(noise, generator, [&] { observer.touched(); });
  } else {
    noise.copy_(at::randn(noise.sizes(), generator, noise.options().device(generator.device())));
  }
}

NamedTensors of_frames(const NamedTensors& tensors, std::int64_t first, std::int64_t count) {
  NamedTensors parts;
  for (const auto& [name, tensor] : tensors) parts.push_back({name, tensor.narrow(2, first, count)});
  return parts;
}

/// Hands the clean latents that the steps before lead to, and the noise that x then has, to `take`.
void extrapolate(const SamplingState& state, const Level& level, double ahead,
                 const std::function<void(std::int64_t first, const Prediction& prediction)>& take) {
  for (std::int64_t first = 0; first < state.x.size(2); first += kLatentsAtOnce) {
    const std::int64_t count = std::min(kLatentsAtOnce, state.x.size(2) - first);
    take(first,
         prediction_from_clean(level, state.x.narrow(2, first, count), state.clean.extrapolated(first, count, ahead)));
  }
}

}  // namespace

SamplingState sampling_state(const Sampler& sampler, const at::Tensor& x, const at::Generator& generator) {
  SamplingState state{x, {}, {}, {}, generator, 0};
  for (const std::string& name : sampler.state_names()) state.kept.push_back({name, at::zeros_like(x)});
  if (sampler.draws_noise()) state.noise = at::empty_like(x);
  return state;
}

void run_sampler(const Sampler& sampler, const NoiseProcess& process, const Denoiser& denoise, SamplingState& state,
                 SamplingObserver& observer, std::span<const StepWork> work) {
  const std::span<const Level> levels = sampler.levels();
  for (auto i = static_cast<std::size_t>(state.steps_done); i < levels.size(); ++i) {
    if (state.noise.defined()) draw(state.noise, state.generator, observer);
    const auto step = static_cast<std::int64_t>(i);
    observer.step_begins(step);
    const auto take = [&](std::int64_t first, const Prediction& prediction) {
      const std::int64_t count = prediction.x0.size(2);
      const at::Tensor part = state.x.narrow(2, first, count);
      observer.predicted(prediction.x0);
      const at::Tensor noise = state.noise.defined() ? state.noise.narrow(2, first, count) : at::Tensor();
      part.copy_(sampler.step(i, part, prediction, of_frames(state.kept, first, count), noise));
      observer.touched();
    };
    if (!work.empty() && work[i].conditional == PassWork::kNone) {
      extrapolate(state, levels[i], work[i].ahead, take);
    } else {
      denoise(state.x, levels[i], step, [&](std::int64_t first, const at::Tensor& output) {
        const Prediction prediction = process.prediction(levels[i], state.x.narrow(2, first, output.size(2)), output);
        state.clean.add(first, prediction.x0);
        take(first, prediction);
      });
    }
    observer.step_ends(state.steps_done = step + 1);
  }
}

}  // namespace unianimate::diffusion
