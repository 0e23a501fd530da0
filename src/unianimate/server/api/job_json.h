// Jobs as clients see them.
#pragma once

#include <nlohmann/json.hpp>

#include "unianimate/server/api/api.h"

namespace unianimate::server {

/// As queue::job_json(), with the request as a body has it.
nlohmann::ordered_json job_json(const queue::JobRow& job, queue::JobQueue& queue);

/// The job that the path names. Throws http::Refused(not-found).
queue::JobRow required_job(const http::Request& request, Api& api);

}  // namespace unianimate::server
