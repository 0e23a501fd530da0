// Any text as the body of a new job, and as the request of a row: it is refused, or shown as it was said.
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "unianimate/core/error.h"
#include "unianimate/server/api/document.h"
#include "unianimate/server/api/job_request.h"
#include "unianimate/server/api/schema_check.h"
#include "unianimate/server/http/message.h"
#include "unianimate/server/worker/job_request.h"

namespace {

using namespace unianimate;
using nlohmann::json;

constexpr const char* kPicture = "a00000000000000000000";
constexpr const char* kVideo = "a11111111111111111111";

queue::JobQueue& queue_with_files() {
  static queue::JobQueue queue(queue::open_sqlite(":memory:"));
  static const bool ready = [] {
    queue.add_asset({kPicture, "0", 1, "image/png", std::nullopt});
    queue.add_asset({kVideo, "1", 1, "video/mp4", std::nullopt});
    return true;
  }();
  static_cast<void>(ready);
  return queue;
}

void take_as_body(std::string_view text) {
  static const server::SchemaCheck schemas(server::openapi_document());
  try {
    const json body = server::parse_body(text);
    const bool aligns = body.is_object() && body.contains("kind") && body.at("kind") == "align";
    schemas.check(body, aligns ? "AlignRequest" : "AnimateRequest");
    if (!aligns && body.contains("motion") == body.contains("poses")) return;
    const queue::NewJob job = server::new_job(body, queue_with_files(), "");
    const json shown = worker::shown_request(job.request);
    for (const char* part : {"reference", "motion"}) {
      if (body.contains(part) && shown.at(part) != body.at(part)) __builtin_trap();
    }
  } catch (const http::Refused&) {
    return;
  }
}

void take_as_row(const std::string& text) {
  static const family::AnimateRequest defaults;
  const auto resolve = [](const std::string& id) { return std::filesystem::path("/files") / id; };
  static_cast<void>(worker::shown_request(text));
  try {
    static_cast<void>(worker::read_video_request(text, defaults, resolve));
  } catch (const Error&) {
  }
  try {
    static_cast<void>(worker::read_align_request(text, resolve));
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  take_as_body(text);
  take_as_row(text);
  return 0;
}
