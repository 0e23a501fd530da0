// Between what clients say of a job and the request of its row (server/worker/job_request.h): the one place that knows
// both.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "unianimate/server/queue/job_queue.h"

namespace unianimate::server {

/// Kind, request and files of a body that fits its schema. Throws http::Refused(invalid-request), with a pointer where
/// one part is to blame, where a file is not there or of the wrong kind, or the settings cannot be.
queue::NewJob new_job(const nlohmann::json& body, queue::JobQueue& queue);

/// The request of a row, whoever queued it, as a body has it: reference, motion or poses, align, settings and format,
/// as far as they are said. Of one that took the poses of an align job, what that one said, so that it can be asked for
/// again when that is gone. Null for text that is no request.
nlohmann::ordered_json shown_request(const std::string& request);

}  // namespace unianimate::server
