// What jobs have made.
#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "unianimate/core/error.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/api/job_json.h"
#include "unianimate/server/http/file_response.h"

namespace unianimate::server {

namespace fs = std::filesystem;

namespace {

struct NamedFile {
  std::string_view name;
  const char* path;  ///< in the job's folder
  const char* type;
};

constexpr std::array kPoseFiles{
    NamedFile{"contact_sheet.png", "poses-report/contact_sheet.png", "image/png"},
    NamedFile{"bones.png", "poses-report/bones.png", "image/png"},
    NamedFile{"preview.mp4", "poses-report/preview.mp4", "video/mp4"},
    NamedFile{"poses.json", "poses-report/poses.json", "application/json"},
};

struct VideoKind {
  const char* ending;
  const char* type;
};
constexpr std::array kVideoKinds{VideoKind{".mp4", "video/mp4"}, VideoKind{".webm", "video/webm"},
                                 VideoKind{".mkv", "video/x-matroska"}, VideoKind{".gif", "image/gif"}};

http::Response video(const http::Request& request, Api& api) {
  const queue::JobRow job = required_job(request, api);
  for (const VideoKind& kind : kVideoKinds) {
    const fs::path file = api.folder().result(job.id, job.attempt, kind.ending);
    std::error_code ignored;
    if (job.state != queue::JobState::kCompleted || !fs::is_regular_file(file, ignored)) continue;
    return http::file_response(request, {file, kind.type, fmt::format("{}-{}", job.id, job.attempt),
                                         job.label.value_or(job.id) + kind.ending, true});
  }
  throw http::Refused(http::problems::kNotFound, fmt::format("the job {} has made no video yet", job.id));
}

/// Of files that change while the job runs.
http::Response changing_file(const http::Request& request, const queue::JobRow& job, const fs::path& file,
                             const char* type) {
  std::error_code ignored;
  const auto written = fs::last_write_time(file, ignored).time_since_epoch().count();
  // Without a name a browser shows it instead of saving it.
  return http::file_response(request, {file, type, fmt::format("{}-{}-{}", job.id, job.attempt, written), "", true});
}

http::Response pose_file(const http::Request& request, Api& api) {
  const queue::JobRow job = required_job(request, api);
  for (const NamedFile& file : kPoseFiles) {
    if (file.name == request.parameter("name")) {
      return changing_file(request, job, api.folder().job(job.id) / file.path, file.type);
    }
  }
  throw http::Refused(http::problems::kNotFound,
                      fmt::format("poses have no file {}", printable(request.parameter("name"))));
}

}  // namespace

void add_file_routes(http::Router& router, Api& api) {
  for (const char* pattern : {"/api/v1/jobs/{id}/video", "/v1/videos/{id}/content"}) {
    router.add({.method = "GET", .pattern = pattern, .handle = [&](const http::Request& request) {
                  return video(request, api);
                }});
  }
  router.add({.method = "GET", .pattern = "/api/v1/jobs/{id}/preview", .handle = [&](const http::Request& request) {
                const queue::JobRow job = required_job(request, api);
                return changing_file(request, job, api.folder().preview(job.id), "video/mp4");
              }});
  router.add({.method = "GET",
              .pattern = "/api/v1/jobs/{id}/poses/{name}",
              .handle = [&](const http::Request& request) { return pose_file(request, api); }});
}

}  // namespace unianimate::server
