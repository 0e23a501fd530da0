// The body of a new job as the queue keeps it.
#pragma once

#include <nlohmann/json.hpp>

#include "unianimate/server/queue/job_queue.h"

namespace unianimate::server {

/// Kind, request and files of a body that fits its schema. Throws http::Refused(invalid-request) with a pointer where a
/// file is not there or of the wrong kind, or a setting cannot be.
queue::NewJob new_job(const nlohmann::json& body, queue::JobQueue& queue);

}  // namespace unianimate::server
