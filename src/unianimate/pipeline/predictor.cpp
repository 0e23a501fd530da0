#include "unianimate/pipeline/predictor.h"

#include <algorithm>
#include <utility>

#include "unianimate/core/memory.h"
#include "unianimate/diffusion/guidance.h"

namespace unianimate::pipeline {

namespace {

/// From here on holes are worth the moment that it takes to clear their memory anew.
constexpr std::int64_t kLargeProcess = std::int64_t{2} << 30;

}  // namespace

diffusion::ContextWindowOptions latent_windows(diffusion::ContextWindowOptions windows,
                                               const family::ClipGeometry& geometry) {
  const std::int64_t each = geometry.frames_per_latent;
  windows.size = geometry.latents_of(windows.size);
  windows.overlap = std::min((windows.overlap + each - 1) / each, windows.size - 1);
  return windows;
}

StepWindows step_windows(std::int64_t latents, const diffusion::ContextWindowOptions& windows, std::int64_t step) {
  const auto count = static_cast<std::int64_t>(diffusion::context_windows(latents, windows, step).size());
  return {count, (count + windows.batch_size - 1) / windows.batch_size};
}

std::int64_t ClipPredictor::bytes_kept(const family::ClipShape& window, std::int64_t channels, std::int64_t at_once) {
  // The windows, what the model says of them twice, the two sums and the weighted prediction.
  constexpr std::int64_t kCopies = 6;
  return kCopies * at_once * channels * window.elements() * std::int64_t{sizeof(float)};
}

ClipPredictor::ClipPredictor(family::ClipModel& model, const diffusion::ContextWindowOptions& windows,
                             PredictorMemory memory, distributed::ProcessGroup& group, Progress& progress)
    : model_(model), windows_(windows), memory_(std::move(memory)), group_(group), progress_(progress) {}

std::vector<ClipPredictor::Pass> ClipPredictor::passes(std::int64_t frames, const diffusion::StepWork& work) const {
  std::vector<Pass> passes;
  const std::vector<diffusion::ContextWindow> windows = diffusion::context_windows(frames, windows_, work.windows_of);
  const auto batch_size = static_cast<std::size_t>(windows_.batch_size);
  std::int64_t batch = 0;
  for (std::size_t i = 0; i < windows.size(); i += std::min(batch_size, windows.size() - i), ++batch) {
    const auto begin = windows.begin() + static_cast<std::ptrdiff_t>(i);
    const auto count = static_cast<std::ptrdiff_t>(std::min(batch_size, windows.size() - i));
    const std::size_t after = i + static_cast<std::size_t>(count);
    const std::int64_t next = after < windows.size() ? windows[after].first - begin->first : 0;
    passes.push_back({{begin, begin + count}, batch, true, next});
    if (work.unconditional == diffusion::PassWork::kNone) continue;
    passes.push_back({{begin, begin + count}, batch, false, next});
  }
  return passes;
}

/// The process that makes a pass: in every step the same, which has its features, and as many different ones in a row
/// as there are, with unconditional passes between the others or without.
std::int64_t ClipPredictor::owner(const Pass& pass) const {
  const std::int64_t processes = group_.size();
  const std::int64_t second = pass.conditional ? 0 : 1;
  return processes % 2 == 0 ? (pass.batch + second * processes / 2) % processes : (2 * pass.batch + second) % processes;
}

ClipPredictor::Sums ClipPredictor::zero_sums(const at::Tensor& x, std::int64_t first, std::int64_t end,
                                             bool unconditional) {
  const auto zeros = [&] { return at::zeros({1, x.size(1), end - first, x.size(3), x.size(4)}, x.options()); };
  return {first, zeros(), unconditional ? zeros() : at::Tensor(), at::zeros({end - first, 1, 1}, x.options())};
}

void ClipPredictor::grow(Sums& sums, const at::Tensor& x, std::int64_t end) {
  if (end <= sums.end()) return;
  const Sums more = zero_sums(x, sums.end(), end, sums.unconditional.defined());
  sums.conditional = at::cat({sums.conditional, more.conditional}, 2);
  if (sums.unconditional.defined()) sums.unconditional = at::cat({sums.unconditional, more.unconditional}, 2);
  sums.weights = at::cat({sums.weights, more.weights});
}

void ClipPredictor::add(Sums& sums, const at::Tensor& x, double time, const Pass& pass) {
  const auto count = static_cast<std::int64_t>(pass.windows.size());
  std::vector<at::Tensor> parts;
  for (const diffusion::ContextWindow& window : pass.windows) parts.push_back(x.narrow(2, window.first, window.size));
  at::Tensor* features = memory_.deep_features ? &features_[{pass.batch, pass.conditional}] : nullptr;
  family::WindowCarry* carry = memory_.carry_state ? &carried_[pass.conditional] : nullptr;
  if (carry != nullptr) carry->next = pass.next;
  const at::Tensor v = model_.predict(at::cat(parts), time, pass.windows, pass.conditional, features, carry);
  if (!weights_.defined()) {
    const std::vector<float> weights = diffusion::context_weights(pass.windows.front().size, windows_.weights);
    weights_ = at::tensor(weights).view({-1, 1, 1}).to(x.device());
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const diffusion::ContextWindow& window = pass.windows[static_cast<std::size_t>(i)];
    const std::int64_t place = window.first - sums.first;
    (pass.conditional ? sums.conditional : sums.unconditional)
        .narrow(2, place, window.size)
        .add_(v.narrow(0, i, 1) * weights_);
    if (pass.conditional) sums.weights.narrow(0, place, window.size).add_(weights_);
  }
}

void ClipPredictor::take_until(Sums& sums, std::int64_t end, const diffusion::StepWork& work,
                               const diffusion::TakeOutput& take) const {
  const std::int64_t count = end - sums.first;
  if (count == 0) return;
  const at::Tensor weights = sums.weights.narrow(0, 0, count);
  const at::Tensor conditional = sums.conditional.narrow(2, 0, count) / weights;
  at::Tensor unconditional;
  if (sums.unconditional.defined()) unconditional = sums.unconditional.narrow(2, 0, count) / weights;
  take(sums.first, diffusion::guided(work, memory_.difference, sums.first, conditional, unconditional));
  const std::int64_t left = sums.end() - end;
  sums.conditional = sums.conditional.narrow(2, count, left).clone();
  if (sums.unconditional.defined()) sums.unconditional = sums.unconditional.narrow(2, count, left).clone();
  sums.weights = sums.weights.narrow(0, count, left).clone();
  sums.first = end;
}

void ClipPredictor::predict(const at::Tensor& x, double time, const diffusion::StepWork& work,
                            const diffusion::TakeOutput& take) {
  if (work.conditional == diffusion::PassWork::kFull) features_.clear();
  carried_.clear();
  const std::int64_t frames = x.size(2);
  const std::vector<Pass> all = passes(frames, work);
  const auto processes = static_cast<std::size_t>(group_.size());
  Sums sums = zero_sums(x, 0, 0, work.unconditional != diffusion::PassWork::kNone);
  for (std::size_t begin = 0; begin < all.size(); begin += processes) {
    progress_.throw_if_cancelled();
    // No frame before the first of these passes' windows will be seen again.
    take_until(sums, all[begin].windows.front().first, work, take);
    const std::span round(all.begin() + static_cast<std::ptrdiff_t>(begin), std::min(processes, all.size() - begin));
    grow(sums, x, round.back().windows.back().end());
    // Holes that loading and the passes before have left add up.
    if (x.is_cpu() && resident_bytes() > kLargeProcess) release_freed_memory();
    if (processes == 1) {
      add(sums, x, time, round.front());
    } else {
      add_shared(sums, x, time, round);
    }
    calls_done += static_cast<std::int64_t>(round.size());
    progress_.step(calls_done);
  }
  take_until(sums, frames, work, take);
}

/// Of passes of which each process makes one at most.
void ClipPredictor::add_shared(Sums& sums, const at::Tensor& x, double time, std::span<const Pass> round) {
  Sums of_round = zero_sums(x, sums.first, sums.end(), sums.unconditional.defined());
  for (const Pass& pass : round) {
    if (owner(pass) == group_.rank()) add(of_round, x, time, pass);
  }
  std::vector<at::Tensor> parts{of_round.conditional, of_round.weights};
  if (of_round.unconditional.defined()) parts.push_back(of_round.unconditional);
  group_.sum(parts);
  sums.conditional.add_(of_round.conditional);
  sums.weights.add_(of_round.weights);
  if (of_round.unconditional.defined()) sums.unconditional.add_(of_round.unconditional);
}

}  // namespace unianimate::pipeline
