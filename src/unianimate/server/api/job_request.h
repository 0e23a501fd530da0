// Between what clients say of a job and the request of its row (server/worker/job_request.h): the one place that knows
// both.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "unianimate/server/queue/job_queue.h"

namespace unianimate::server {

/// Kind, request and files of a body that fits its schema. Throws http::Refused(invalid-request), with a pointer where
/// one part is to blame, where a file is not there or of the wrong kind, the settings cannot be, or one has no effect.
/// `models`: the folder whose models and LoRA files it may name, and from which it takes its models where it names
/// none; empty where these are not known.
queue::NewJob new_job(const nlohmann::json& body, queue::JobQueue& queue, const std::filesystem::path& models);

}  // namespace unianimate::server
