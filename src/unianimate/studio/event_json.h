// What a face is told, as JSON for other programs; cli/json_reporter.h says what the objects hold.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "unianimate/studio/job_observer.h"

namespace unianimate::studio {

nlohmann::ordered_json plan_json(const PlannedVideo& video);
nlohmann::ordered_json result_json(const FinishedVideo& video);
nlohmann::ordered_json poses_json(const AlignedMotion& motion);
nlohmann::ordered_json people_json(const DetectedMotion& motion);

/// "motion" of a plan.
nlohmann::ordered_json motion_json(const PlannedMotion& motion);

/// "machine" of a plan.
nlohmann::ordered_json machine_json(const family::ModelFiles& files, const family::RuntimeOptions& runtime);

}  // namespace unianimate::studio
