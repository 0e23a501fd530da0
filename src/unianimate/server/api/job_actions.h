// What clients do with jobs, by whichever routes.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "unianimate/server/api/api.h"

namespace unianimate::server {

/// What a body says; none where it does not. Throws http::Refused(invalid-request) where a queue could not keep it.
std::optional<std::string> label_of(const nlohmann::json& body);
std::optional<std::int64_t> priority_of(const nlohmann::json& body);

/// Queues what the body asks for or, where the request has the Idempotency-Key of one before, finds that one. Throws
/// http::Refused: invalid-request for a body that does not fit its schema or asks for what cannot be, conflict for the
/// key of another body, too-many, quota-exceeded.
queue::Added add_job(const nlohmann::json& body, const http::Request& request, Api& api);

/// Removes it with its files; false where it runs and goes once its worker has stopped. Throws http::Refused(conflict)
/// while another one takes its poses.
bool remove_job(const std::string& id, Api& api);

}  // namespace unianimate::server
