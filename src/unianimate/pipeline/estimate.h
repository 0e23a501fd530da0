// How long a plan is likely to take.
#pragma once

#include "unianimate/core/device.h"
#include "unianimate/pipeline/plan.h"

namespace unianimate::pipeline {

/// Seconds that sampling the plan is likely to take, from the speed of convolutions on this machine, which the first
/// call for a device and number format measures for about a second.
double estimate_seconds(const AnimatePlan& plan, const Compute& compute);

/// The same of decoding its frames and previews.
double estimate_decoding_seconds(const AnimatePlan& plan, const Compute& compute);

}  // namespace unianimate::pipeline
