// What a face asks for: the poses of a motion, fitted to a person or as they were found.
#pragma once

#include <filesystem>

#include "unianimate/fields/archive.h"
#include "unianimate/studio/job_observer.h"

namespace unianimate::studio {

struct AlignOrder {
  AlignRequest request;            ///< its threads are the detector's, too
  bool detect_only = false;        ///< see detect_poses(); else prepare_poses()
  std::filesystem::path openpose;  ///< folder for the poses as OpenPose's JSON files, too; empty: none
  std::filesystem::path comfyui;   ///< file for the poses as ComfyUI's JSON, too; empty: none
  RefuseGiven refuse_given = {};
};

void visit(fields::Archive& archive, AlignOrder& order);

/// What would be made, without looking for anybody. Throws as make_poses() does for what shows by then.
PlannedMotion plan_poses(const AlignOrder& order, JobObserver& observer);

/// Makes it; the observer is handed the result. Throws Error(kUsage) for what the order gives in vain or lacks, before
/// anything is written, and as prepare_poses() and detect_poses() do.
void make_poses(const AlignOrder& order, JobObserver& observer);

}  // namespace unianimate::studio
