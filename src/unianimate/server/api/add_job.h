// Makes jobs of what clients ask for.
#pragma once

#include <nlohmann/json.hpp>

#include "unianimate/server/api/api.h"

namespace unianimate::server {

/// Queues what the body asks for or, where the request has the Idempotency-Key of one before, finds that one. Throws
/// http::Refused: invalid-request for a body that does not fit its schema or asks for what cannot be, conflict for the
/// key of another body, too-many, quota-exceeded.
queue::Added add_job(const nlohmann::json& body, const http::Request& request, Api& api);

}  // namespace unianimate::server
