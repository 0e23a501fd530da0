#include "unianimate/studio/video_plans.h"

#include <nlohmann/json.hpp>

#include "unianimate/family/request_fields.h"
#include "unianimate/fields/json_archive.h"
#include "unianimate/studio/video_production.h"

namespace unianimate::studio {

namespace {

/// Equal for requests that share a plan.
std::string key_of(const family::AnimateRequest& request) {
  family::AnimateRequest any_seed = request;
  any_seed.seed = 0;
  return fields::write_json(any_seed).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

VideoPlans::VideoPlans(const family::Family& models, const JobKeeping& keeping,
                       const std::optional<PlannedMotion>& motion)
    : planner_(models, preview_options(keeping, {})), motion_(motion) {}

void VideoPlans::plan(const family::AnimateRequest& request, const std::string& key) {
  if (key == last_key_) return;
  last_ = motion_ ? planner_.plan_for_poses(request, motion_->poses) : planner_.plan(request);
  last_key_ = key;
}

const pipeline::AnimatePlan& VideoPlans::of(const family::AnimateRequest& request) {
  const std::string key = key_of(request);
  const auto known = plans_.find(key);
  if (known != plans_.end()) return known->second;
  plan(request, key);
  pipeline::AnimatePlan small = last_;
  small.pose_folder = {};
  small.selection.indices = {};
  return plans_.emplace(key, std::move(small)).first->second;
}

const pipeline::AnimatePlan& VideoPlans::with_pictures(const family::AnimateRequest& request) {
  plan(request, key_of(request));
  last_.request = request;
  return last_;
}

}  // namespace unianimate::studio
