#include "unianimate/diffusion/context_windows.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "unianimate/core/error.h"
#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/fields/range_check.h"

namespace unianimate::diffusion {

namespace {

std::vector<std::int64_t> published_starts(std::int64_t frames, const ContextWindowOptions& options) {
  std::vector<std::int64_t> starts;
  for (std::int64_t start = 0; start < frames - options.overlap; start += options.size - options.overlap) {
    starts.push_back(start);
  }
  starts.back() = frames - options.size;
  return starts;
}

std::vector<std::int64_t> even_starts(std::int64_t frames, const ContextWindowOptions& options) {
  const std::int64_t stride = options.size - options.overlap;
  const std::int64_t gaps = (frames - options.size + stride - 1) / stride;
  std::vector<std::int64_t> starts;
  for (std::int64_t i = 0; i <= gaps; ++i) starts.push_back((i * (frames - options.size) + gaps / 2) / gaps);
  return starts;
}

std::vector<std::int64_t> moving_starts(std::int64_t frames, const ContextWindowOptions& options, std::int64_t step) {
  const std::int64_t stride = options.size - options.overlap;
  // Multiples of the golden ratio spread any number of steps evenly over the stride.
  const double turn = static_cast<double>(step) / std::numbers::phi;
  const auto shift = static_cast<std::int64_t>((turn - std::floor(turn)) * static_cast<double>(stride));
  const std::int64_t last = frames - options.size;
  std::vector<std::int64_t> starts;
  for (std::int64_t start = -shift;; start += stride) {
    const std::int64_t inside = std::clamp<std::int64_t>(start, 0, last);
    if (starts.empty() || starts.back() != inside) starts.push_back(inside);
    if (start >= last) return starts;
  }
}

std::vector<std::int64_t> window_starts(std::int64_t frames, const ContextWindowOptions& options, std::int64_t step) {
  switch (options.schedule) {
    case ContextSchedule::kEven:
      return even_starts(frames, options);
    case ContextSchedule::kMoving:
      return moving_starts(frames, options, step);
    case ContextSchedule::kPublished:
      break;
  }
  return published_starts(frames, options);
}

}  // namespace

void ContextWindowOptions::check() const {
  fields::check_ranges(*this);
  if (carry_state && schedule == ContextSchedule::kMoving) {
    throw Error(ErrorKind::kUsage,
                "carry_state does not go with context_schedule moving, whose windows lie elsewhere in every step; "
                "use even or published beside it");
  }
  if (carry_state && batch_size > 1) {
    throw Error(ErrorKind::kUsage,
                "carry_state needs the windows one after the other; leave context_batch_size at 1, found {}",
                batch_size);
  }
  if (overlap < size) return;
  throw Error(ErrorKind::kUsage, "context_overlap must be between 0 and context_size {} - 1, found {}", size, overlap);
}

std::vector<ContextWindow> context_windows(std::int64_t frames, const ContextWindowOptions& options,
                                           std::int64_t step) {
  options.check();
  if (frames <= options.size) return {{0, frames}};
  std::vector<ContextWindow> windows;
  for (const std::int64_t start : window_starts(frames, options, step)) windows.push_back({start, options.size});
  return windows;
}

std::vector<float> context_weights(std::int64_t size, ContextWeights weights) {
  std::vector<float> of_frames(static_cast<std::size_t>(size), 1.0F);
  if (weights == ContextWeights::kPublished) return of_frames;
  for (std::int64_t i = 0; i < size; ++i) {
    const double place = (static_cast<double>(i) + 0.5) / static_cast<double>(size);
    of_frames[static_cast<std::size_t>(i)] = weights == ContextWeights::kPyramid
                                                 ? static_cast<float>(std::min(i + 1, size - i))
                                                 : static_cast<float>(std::pow(std::sin(std::numbers::pi * place), 2));
  }
  return of_frames;
}

}  // namespace unianimate::diffusion
