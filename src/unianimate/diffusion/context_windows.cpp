#include "unianimate/diffusion/context_windows.h"

#include <numeric>

#include "unianimate/core/error.h"

namespace unianimate::diffusion {

namespace {

ContextWindow consecutive(std::int64_t first, std::int64_t count) {
  ContextWindow window(static_cast<std::size_t>(count));
  std::iota(window.begin(), window.end(), first);
  return window;
}

}  // namespace

void ContextWindowOptions::check() const {
  if (size < 1) throw Error(ErrorKind::kUsage, "context size must be at least 1 frame, found {}", size);
  if (overlap < 0 || overlap >= size) {
    throw Error(ErrorKind::kUsage, "context overlap must be between 0 and context size {} - 1, found {}", size,
                overlap);
  }
  if (batch_size < 1) throw Error(ErrorKind::kUsage, "context batch size must be at least 1, found {}", batch_size);
}

std::vector<ContextWindow> context_windows(std::int64_t frames, const ContextWindowOptions& options) {
  options.check();
  if (frames <= options.size) return {consecutive(0, frames)};
  std::vector<ContextWindow> windows;
  for (std::int64_t start = 0; start < frames - options.overlap; start += options.size - options.overlap) {
    windows.push_back(consecutive(start, options.size));
  }
  // Every window but the last ends within the clip, so no index of the others needs to wrap around.
  windows.back() = consecutive(frames - options.size, options.size);
  return windows;
}

}  // namespace unianimate::diffusion
