#include "unianimate/server/api/job_request.h"

#include <fmt/format.h>

#include "unianimate/core/error.h"
#include "unianimate/server/api/answers.h"

namespace unianimate::server {

using nlohmann::json;

namespace {

/// Of one of the files, whose type has to begin so.
std::string required_asset(const json& body, const char* name, std::string_view type, queue::JobQueue& queue) {
  const auto id = body.at(name).get<std::string>();
  const auto asset = queue.find_asset(id);
  if (!asset) refuse_part(fmt::format("/{}", name), fmt::format("{}: there is no asset {}", name, printable(id)));
  if (!asset->type.starts_with(type)) {
    refuse_part(fmt::format("/{}", name), fmt::format("{} is {}; it must be a picture", name, asset->type));
  }
  return id;
}

}  // namespace

queue::NewJob new_job(const json& body, queue::JobQueue& queue) {
  queue::NewJob job;
  job.kind = *queue::kind_of(body.at("kind").get<std::string>());
  job.assets = {required_asset(body, "reference", "image/", queue), required_asset(body, "motion", "", queue)};
  json request = body;
  for (const char* name : {"kind", "label", "priority"}) request.erase(name);
  job.request = request.dump();
  return job;
}

}  // namespace unianimate::server
