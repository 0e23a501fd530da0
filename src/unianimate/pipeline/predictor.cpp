#include "unianimate/pipeline/predictor.h"

#include <algorithm>
#include <utility>

namespace unianimate::pipeline {

diffusion::ContextWindowOptions latent_windows(diffusion::ContextWindowOptions windows,
                                               const family::ClipGeometry& geometry) {
  const std::int64_t each = geometry.frames_per_latent;
  windows.size = geometry.latents_of(windows.size);
  windows.overlap = std::min((windows.overlap + each - 1) / each, windows.size - 1);
  return windows;
}

StepPasses step_passes(std::int64_t latents, const diffusion::ContextWindowOptions& windows, double guidance_scale,
                       std::int64_t step) {
  const auto count = static_cast<std::int64_t>(diffusion::context_windows(latents, windows, step).size());
  const std::int64_t batches = (count + windows.batch_size - 1) / windows.batch_size;
  return {count, batches * (guidance_scale == 1.0 ? 1 : 2)};
}

std::int64_t ClipPredictor::bytes_kept(const family::ClipShape& window, std::int64_t channels, std::int64_t at_once) {
  // The windows, what the model says of them twice, the two sums and the weighted prediction.
  constexpr std::int64_t kCopies = 6;
  return kCopies * at_once * channels * window.elements() * std::int64_t{sizeof(float)};
}

ClipPredictor::ClipPredictor(family::ClipModel& model, const diffusion::ContextWindowOptions& windows,
                             double guidance_scale, distributed::ProcessGroup& group, Progress& progress)
    : model_(model), windows_(windows), guidance_scale_(guidance_scale), group_(group), progress_(progress) {}

std::vector<ClipPredictor::Pass> ClipPredictor::passes(std::int64_t frames, std::int64_t step) const {
  std::vector<Pass> passes;
  const std::vector<diffusion::ContextWindow> windows = diffusion::context_windows(frames, windows_, step);
  const auto batch_size = static_cast<std::size_t>(windows_.batch_size);
  for (std::size_t i = 0; i < windows.size(); i += std::min(batch_size, windows.size() - i)) {
    const auto begin = windows.begin() + static_cast<std::ptrdiff_t>(i);
    const auto count = static_cast<std::ptrdiff_t>(std::min(batch_size, windows.size() - i));
    passes.push_back({{begin, begin + count}, true});
    if (guidance_scale_ != 1.0) passes.push_back({{begin, begin + count}, false});
  }
  return passes;
}

ClipPredictor::Sums ClipPredictor::zero_sums(const at::Tensor& x, std::int64_t first, std::int64_t end) const {
  const auto zeros = [&] { return at::zeros({1, x.size(1), end - first, x.size(3), x.size(4)}, at::kFloat); };
  return {first, zeros(), guidance_scale_ != 1.0 ? zeros() : at::Tensor(), at::zeros({end - first, 1, 1}, at::kFloat)};
}

void ClipPredictor::grow(Sums& sums, const at::Tensor& x, std::int64_t end) const {
  if (end <= sums.end()) return;
  const Sums more = zero_sums(x, sums.end(), end);
  sums.conditional = at::cat({sums.conditional, more.conditional}, 2);
  if (sums.unconditional.defined()) sums.unconditional = at::cat({sums.unconditional, more.unconditional}, 2);
  sums.weights = at::cat({sums.weights, more.weights});
}

void ClipPredictor::add(Sums& sums, const at::Tensor& x, double time, const Pass& pass) {
  const auto count = static_cast<std::int64_t>(pass.windows.size());
  std::vector<at::Tensor> parts;
  for (const diffusion::ContextWindow& window : pass.windows) parts.push_back(x.narrow(2, window.first, window.size));
  const at::Tensor v = model_.predict(at::cat(parts), time, pass.windows, pass.conditional);
  const at::Tensor weights =
      at::tensor(diffusion::context_weights(pass.windows.front().size, windows_.weights)).view({-1, 1, 1});
  for (std::int64_t i = 0; i < count; ++i) {
    const diffusion::ContextWindow& window = pass.windows[static_cast<std::size_t>(i)];
    const std::int64_t place = window.first - sums.first;
    (pass.conditional ? sums.conditional : sums.unconditional)
        .narrow(2, place, window.size)
        .add_(v.narrow(0, i, 1) * weights);
    if (pass.conditional) sums.weights.narrow(0, place, window.size).add_(weights);
  }
}

void ClipPredictor::take_until(Sums& sums, std::int64_t end, const diffusion::TakeOutput& take) const {
  const std::int64_t count = end - sums.first;
  if (count == 0) return;
  const at::Tensor weights = sums.weights.narrow(0, 0, count);
  at::Tensor v = sums.conditional.narrow(2, 0, count) / weights;
  if (guidance_scale_ != 1.0) {
    const at::Tensor unconditional = sums.unconditional.narrow(2, 0, count) / weights;
    v = unconditional + guidance_scale_ * (v - unconditional);
  }
  take(sums.first, v);
  const std::int64_t left = sums.end() - end;
  sums.conditional = sums.conditional.narrow(2, count, left).clone();
  if (sums.unconditional.defined()) sums.unconditional = sums.unconditional.narrow(2, count, left).clone();
  sums.weights = sums.weights.narrow(0, count, left).clone();
  sums.first = end;
}

void ClipPredictor::predict(const at::Tensor& x, double time, std::int64_t step, const diffusion::TakeOutput& take) {
  const std::int64_t frames = x.size(2);
  const std::vector<Pass> all = passes(frames, step);
  const auto processes = static_cast<std::size_t>(group_.size());
  Sums sums = zero_sums(x, 0, 0);
  for (std::size_t begin = 0; begin < all.size(); begin += processes) {
    progress_.throw_if_cancelled();
    // No frame before the first of these passes' windows will be seen again.
    take_until(sums, all[begin].windows.front().first, take);
    const std::size_t end = std::min(all.size(), begin + processes);
    grow(sums, x, all[end - 1].windows.back().end());
    if (processes == 1) {
      add(sums, x, time, all[begin]);
    } else {
      Sums of_round = zero_sums(x, sums.first, sums.end());
      const std::size_t own = begin + static_cast<std::size_t>(group_.rank());
      if (own < end) add(of_round, x, time, all[own]);
      std::vector<at::Tensor> parts{of_round.conditional, of_round.weights};
      if (of_round.unconditional.defined()) parts.push_back(of_round.unconditional);
      group_.sum(parts);
      sums.conditional.add_(of_round.conditional);
      sums.weights.add_(of_round.weights);
      if (of_round.unconditional.defined()) sums.unconditional.add_(of_round.unconditional);
    }
    calls_done += static_cast<std::int64_t>(end - begin);
    progress_.step(calls_done);
  }
  take_until(sums, frames, take);
}

}  // namespace unianimate::pipeline
