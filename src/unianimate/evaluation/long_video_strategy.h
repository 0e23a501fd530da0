// Ways of making a video that is longer than what the model was trained on, by short names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/diffusion/context_windows.h"
#include "unianimate/family/request.h"

namespace unianimate::evaluation {

struct LongVideoStrategy {
  std::string name;
  diffusion::ContextSchedule schedule = diffusion::ContextSchedule::kPublished;
  diffusion::ContextWeights weights = diffusion::ContextWeights::kPublished;
  std::optional<family::ChainOptions> chain;

  /// Reads a name of parts joined by '-': first published, even or moving (where windows lie) or chain (segments); then
  /// pyramid or hann (how frames count where windows overlap); of chained segments also color (matched to the
  /// reference), a number (frames in a segment), overlapN (frames that two share), and where windows lie in them:
  /// "even-hann", "chain-color-32-overlap2". Throws Error(kUsage) naming the part that says nothing.
  static LongVideoStrategy parse(std::string_view name);

  void apply(family::AnimateRequest& request) const;
};

/// The windows from which the frames of a video come: those of the sampler's last step, of all segments.
std::vector<diffusion::ContextWindow> final_windows(std::int64_t frames, const family::AnimateRequest& request);

}  // namespace unianimate::evaluation
