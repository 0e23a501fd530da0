// A job as other programs are told of it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "unianimate/server/queue/job.h"

namespace unianimate::queue {

/// "2026-11-28T18:05:09.250Z"
std::string time_text(double seconds);

/// All of the row that concerns others. `position`: as JobQueue::position() gives it; told as 1 for the next job, null
/// where it does not wait.
nlohmann::ordered_json job_json(const JobRow& job, std::optional<std::int64_t> position);

}  // namespace unianimate::queue
