// How long a plan is likely to take.
#pragma once

#include <span>
#include <vector>

#include "unianimate/pipeline/phase.h"
#include "unianimate/pipeline/plan.h"

namespace unianimate::pipeline {

/// A phase of all segments together.
struct PhaseEstimate {
  PhaseKind kind = PhaseKind::kReadPictures;
  double seconds = 0;
  double operations = 0;  ///< see Phase
};

/// Seconds that one picture is likely to take of what is done to it beside the models.
struct PictureSeconds {
  double read = 0;    ///< a pose picture
  double decode = 0;  ///< a frame, beside its decoding: kept in a job or written to the video
  double write = 0;   ///< a frame, where a job is kept: read from it and written to the video
};

/// The phases that this process goes through on its own with the models of `family`, in order, for which pieces of the
/// work are tried out; see Family::time_work().
std::vector<PhaseEstimate> estimate_phases(const AnimatePlan& plan, family::Family& family,
                                           const PictureSeconds& picture);

double total_seconds(std::span<const PhaseEstimate> phases);

}  // namespace unianimate::pipeline
