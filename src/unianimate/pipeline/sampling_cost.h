// What sampling a clip takes, counted step by step.
#pragma once

#include <cstdint>

#include "unianimate/family/family.h"
#include "unianimate/family/request.h"

namespace unianimate::pipeline {

struct SamplingCost {
  std::int64_t windows = 0;        ///< of the first step
  std::int64_t calls = 0;          ///< passes of a batch of windows through the model
  double pass_equivalents = 0;     ///< as many as these take: less than one where deep features are reused
  double operations = 0;           ///< floating-point, a multiply-add counted as two
  std::int64_t feature_bytes = 0;  ///< of deep features that are reused
  std::int64_t carried_bytes = 0;  ///< of the states that windows leave to the next
};

/// The largest window of a clip.
family::ClipShape window_shape(const family::Family& family, const family::AnimateRequest& request,
                               const family::ClipShape& clip);

/// Of the steps from number `first_step` on. Throws Error(kUsage) where the request's levels suit neither sampler nor
/// models.
SamplingCost sampling_cost(const family::Family& family, const family::AnimateRequest& request,
                           const family::ClipShape& clip, std::int64_t first_step = 0);

}  // namespace unianimate::pipeline
