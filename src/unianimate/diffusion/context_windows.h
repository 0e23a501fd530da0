// How a clip of any length is covered by windows of the length the model was trained on.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "unianimate/fields/words.h"

namespace unianimate::diffusion {

/// Where the windows of a step lie.
enum class ContextSchedule {
  kPublished,  ///< at 0, size−overlap, … while the start is below frames−overlap, the last one moved to end with the
               ///< clip
  kEven,    ///< as few as give at least `overlap`, spread evenly, so that no two nearly coincide
  kMoving,  ///< at distances of size−overlap from a place that changes from step to step, so that no seam stays
};

/// How much the frames of a window count where windows overlap: position i of n, each weight above 0.
enum class ContextWeights {
  kPublished,  ///< 1: the mean
  kPyramid,    ///< min(i + 1, n − i)
  kHann,       ///< sin²(π (i + ½) / n)
};

constexpr auto words(ContextSchedule /*of*/) {
  return std::array<fields::Word<ContextSchedule>, 3>{{{ContextSchedule::kPublished, "published"},
                                                       {ContextSchedule::kEven, "even"},
                                                       {ContextSchedule::kMoving, "moving"}}};
}

constexpr auto words(ContextWeights /*of*/) {
  return std::array<fields::Word<ContextWeights>, 3>{{{ContextWeights::kPublished, "published"},
                                                      {ContextWeights::kPyramid, "pyramid"},
                                                      {ContextWeights::kHann, "hann"}}};
}

struct ContextWindowOptions {
  std::int64_t size = 32;       ///< frames in a window
  std::int64_t overlap = 8;     ///< frames that two neighbouring windows share at least, 0 … size − 1
  std::int64_t batch_size = 1;  ///< windows denoised in one batch; faster with memory to spare
  ContextSchedule schedule = ContextSchedule::kMoving;  ///< docs/long-videos-measured.md says why
  ContextWeights weights = ContextWeights::kPublished;
  bool carry_state = false;  ///< windows go on from what a model with a state knew of the frames before

  /// Throws Error(kUsage) that names the field, what was expected and what was given.
  void check() const;
};

/// Consecutive frames of a clip.
struct ContextWindow {
  std::int64_t first = 0;
  std::int64_t size = 0;

  [[nodiscard]] std::int64_t end() const { return first + size; }
  bool operator==(const ContextWindow&) const = default;
};

/// The windows of step number `step` (from 0) of the sampler: one with all frames where they fit, else several of
/// options.size, in the order of their first frames, which together cover every frame.
std::vector<ContextWindow> context_windows(std::int64_t frames, const ContextWindowOptions& options, std::int64_t step);

/// Weights of the frames of a window of `size`.
std::vector<float> context_weights(std::int64_t size, ContextWeights weights);

}  // namespace unianimate::diffusion
