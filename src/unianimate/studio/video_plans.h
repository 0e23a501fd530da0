// Plans of many videos, each made once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "unianimate/pipeline/plan.h"
#include "unianimate/studio/job_observer.h"

namespace unianimate::studio {

/// Videos that differ only in seed and output share a plan. Of a folder of poses its names are kept, packed, so that
/// many plans stay small.
class VideoPlans {
 public:
  /// `models` and `motion` must outlive this. `motion`: where the poses are still to be taken from it.
  /// `sink_pixel_bytes`: as of AnimationPlanner, for all of them.
  VideoPlans(const family::Family& models, const JobKeeping& keeping, const std::optional<PlannedMotion>& motion,
             std::int64_t sink_pixel_bytes = 0);

  /// Without its pictures. Throws as AnimationPlanner::plan().
  const pipeline::AnimatePlan& of(const family::AnimateRequest& request);

  /// With its pictures as they were found when it was made, until the next call.
  const pipeline::AnimatePlan& with_pictures(const family::AnimateRequest& request);

 private:
  /// A family::PoseFolder whose pictures all lie in one folder.
  struct PackedFolder {
    std::filesystem::path reference_pose;
    std::string poses;  ///< names, a '/' after each
    std::vector<std::string> notes;
  };
  using FolderKey = std::pair<std::filesystem::path, family::PoseOrder>;

  static PackedFolder pack(const family::PoseFolder& folder);
  static family::PoseFolder unpack(const PackedFolder& packed);

  pipeline::AnimationPlanner planner_;
  const std::optional<PlannedMotion>& motion_;
  std::map<std::string, pipeline::AnimatePlan> plans_;
  std::map<FolderKey, PackedFolder> folders_;
  pipeline::AnimatePlan whole_;
};

}  // namespace unianimate::studio
