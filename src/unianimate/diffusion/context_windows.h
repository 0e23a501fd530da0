// How a clip of any length is covered by windows of the length the model was trained on.
#pragma once

#include <cstdint>
#include <vector>

namespace unianimate::diffusion {

struct ContextWindowOptions {
  std::int64_t size = 32;       ///< frames in a window
  std::int64_t overlap = 8;     ///< frames that two neighbouring windows share, 0 … size − 1
  std::int64_t batch_size = 1;  ///< windows denoised in one batch; faster with memory to spare

  /// Throws Error(kUsage) that names the field, what was expected and what was given.
  void check() const;
};

/// Frame indices of one window.
using ContextWindow = std::vector<std::int64_t>;

/// The published uniform windows: one with all frames where they fit, else windows at 0, size−overlap, … while the
/// start is below frames−overlap, the last one replaced by the last `size` frames.
std::vector<ContextWindow> context_windows(std::int64_t frames, const ContextWindowOptions& options);

}  // namespace unianimate::diffusion
