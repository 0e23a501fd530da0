// Plans of many videos, each made once.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "unianimate/pipeline/plan.h"
#include "unianimate/studio/job_observer.h"

namespace unianimate::studio {

/// Videos that differ only in seed and output share a plan. What a plan says of pictures is kept of the last one alone,
/// so that many plans stay small.
class VideoPlans {
 public:
  /// `models` and `motion` must outlive this. `motion`: where the poses are still to be taken from it.
  VideoPlans(const family::Family& models, const JobKeeping& keeping, const std::optional<PlannedMotion>& motion);

  /// Without its pictures. Throws as AnimationPlanner::plan().
  const pipeline::AnimatePlan& of(const family::AnimateRequest& request);

  /// With its pictures, until the next call of either.
  const pipeline::AnimatePlan& with_pictures(const family::AnimateRequest& request);

 private:
  /// Puts the plan into last_, unless it is there.
  void plan(const family::AnimateRequest& request, const std::string& key);

  pipeline::AnimationPlanner planner_;
  const std::optional<PlannedMotion>& motion_;
  std::map<std::string, pipeline::AnimatePlan> plans_;
  std::string last_key_;
  pipeline::AnimatePlan last_;
};

}  // namespace unianimate::studio
