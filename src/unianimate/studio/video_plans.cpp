#include "unianimate/studio/video_plans.h"

#include "unianimate/family/request_fields.h"
#include "unianimate/fields/field_texts.h"
#include "unianimate/pipeline/reference_notes.h"
#include "unianimate/studio/video_production.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

/// Equal for requests that share a plan.
std::string key_of(const family::AnimateRequest& request) {
  family::AnimateRequest any_seed = request;
  any_seed.seed = 0;
  std::string key;
  for (const fields::FieldText& field : fields::field_texts(any_seed)) {
    key += field.path + '=' + field.text;
    key += '\0';
  }
  return key;
}

}  // namespace

VideoPlans::VideoPlans(const family::Family& models, const JobKeeping& keeping,
                       const std::optional<PlannedMotion>& motion, std::int64_t sink_pixel_bytes)
    : planner_(models, preview_options(keeping), sink_pixel_bytes), motion_(motion) {}

VideoPlans::PackedFolder VideoPlans::pack(const family::PoseFolder& folder) {
  PackedFolder packed{folder.reference_pose, {}, folder.notes};
  for (const fs::path& pose : folder.poses) packed.poses += pose.filename().string() + '/';
  return packed;
}

family::PoseFolder VideoPlans::unpack(const PackedFolder& packed) {
  family::PoseFolder folder{packed.reference_pose, {}, packed.notes};
  const fs::path parent = packed.reference_pose.parent_path();
  for (std::size_t at = 0; at < packed.poses.size();) {
    const std::size_t end = packed.poses.find('/', at);
    folder.poses.push_back(parent / packed.poses.substr(at, end - at));
    at = end + 1;
  }
  return folder;
}

const pipeline::AnimatePlan& VideoPlans::of(const family::AnimateRequest& request) {
  const std::string key = key_of(request);
  const auto known = plans_.find(key);
  if (known != plans_.end()) return known->second;
  pipeline::AnimatePlan plan = motion_ ? planner_.plan_for_poses(request, motion_->poses) : planner_.plan(request);
  if (motion_) {
    const std::vector<std::string> notes = pipeline::reference_notes(request);
    plan.notes.insert(plan.notes.begin(), notes.begin(), notes.end());
  }
  folders_.try_emplace({request.poses, request.pose_order}, pack(plan.pose_folder));
  plan.pose_folder = {};
  plan.selection.indices = {};
  return plans_.emplace(key, std::move(plan)).first->second;
}

const pipeline::AnimatePlan& VideoPlans::with_pictures(const family::AnimateRequest& request) {
  whole_ = of(request);
  whole_.request = request;
  whole_.pose_folder = unpack(folders_.at({request.poses, request.pose_order}));
  whole_.selection = family::select_poses(static_cast<std::int64_t>(whole_.pose_folder.poses.size()),
                                          request.frame_interval, request.frames);
  return whole_;
}

}  // namespace unianimate::studio
