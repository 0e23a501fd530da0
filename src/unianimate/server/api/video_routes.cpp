// The videos of /v1/videos, in the shape of OpenAI's videos API: jobs of kind animate under other names.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/server/api/answers.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/api/incoming_file.h"
#include "unianimate/server/api/job_actions.h"
#include "unianimate/server/api/job_json.h"
#include "unianimate/server/http/multipart_reader.h"
#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/worker/job_request.h"

namespace unianimate::server {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr int kWhole = 100;  ///< percent

// ---- what is told

ordered_json parsed_or_null(const std::optional<std::string>& text) {
  ordered_json value = text ? ordered_json::parse(*text, nullptr, false) : ordered_json(nullptr);
  return value.is_object() ? value : ordered_json(nullptr);
}

std::string_view status_of(queue::JobState state) {
  switch (state) {
    case queue::JobState::kQueued:
      return "queued";
    case queue::JobState::kRunning:
      return "in_progress";
    case queue::JobState::kCompleted:
      return "completed";
    default:
      return "failed";
  }
}

ordered_json whole_seconds(double time) {
  return static_cast<std::int64_t>(time);
}

/// In percent, of the phase that takes nearly all the time.
int progress_of(const queue::JobRow& job) {
  if (job.state == queue::JobState::kCompleted) return kWhole;
  const ordered_json progress = parsed_or_null(job.progress);
  if (progress.is_null() || !progress.value("phase", "").starts_with("sample")) return 0;
  const auto total = progress.value("total", 0.0);
  return total > 0 ? static_cast<int>(std::floor(kWhole * progress.value("done", 0.0) / total)) : 0;
}

/// What is not said, or said to be none, is `usual`.
template <typename Json>
double number_in(const Json& object, const char* name, double usual) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->template get<double>() : usual;
}

/// Seconds as text, without zeros at the end; null where they are not known before the video is there.
ordered_json seconds_of(const ordered_json& result, const ordered_json& align) {
  const auto text = [](double seconds) { return fmt::format("{:.6g}", seconds); };
  if (const double rate = result.value("frames_per_second", 0.0); rate > 0) {
    return text(result.value("frames", 0.0) / rate);
  }
  if (!align.contains("end") || !align.at("end").is_number()) return nullptr;
  return text((number_in(align, "end", 0) - number_in(align, "start", 0)) / number_in(align, "speed", 1));
}

ordered_json size_of(const ordered_json& result, const ordered_json& settings) {
  if (result.contains("width")) {
    return fmt::format("{}x{}", result.at("width").get<int>(), result.at("height").get<int>());
  }
  return settings.value("size", ordered_json(nullptr));
}

ordered_json error_of(const queue::JobRow& job) {
  if (job.state == queue::JobState::kCancelled) return {{"code", "cancelled"}, {"message", "it was cancelled"}};
  const ordered_json problem = parsed_or_null(job.problem);
  if (job.state != queue::JobState::kFailed || problem.is_null()) return nullptr;
  return {{"code", problem.value("type", "")}, {"message", problem.value("detail", "")}};
}

/// When --keep lets a job go that has ended.
ordered_json expiry_of(const queue::JobRow& job, const Api& api) {
  const std::optional<double> kept = api.options().retention.finished_seconds;
  return kept && queue::is_over(job.state) && job.finished ? whole_seconds(*job.finished + *kept)
                                                           : ordered_json(nullptr);
}

ordered_json video_json(const queue::JobRow& job, const Api& api) {
  const auto or_empty = [](const ordered_json& value) {
    return value.is_object() ? value : ordered_json(ordered_json::object());
  };
  const ordered_json request = or_empty(worker::shown_request(job.request));
  const ordered_json settings = or_empty(request.value("settings", ordered_json()));
  const ordered_json align = or_empty(request.value("align", ordered_json()));
  const ordered_json result = or_empty(job.state == queue::JobState::kCompleted ? parsed_or_null(job.result) : nullptr);
  return {{"id", job.id},
          {"object", "video"},
          {"model", settings.value("model", ordered_json(nullptr))},
          {"status", status_of(job.state)},
          {"progress", progress_of(job)},
          {"created_at", whole_seconds(job.created)},
          {"completed_at",
           queue::is_over(job.state) && job.finished ? whole_seconds(*job.finished) : ordered_json(nullptr)},
          {"expires_at", expiry_of(job, api)},
          {"prompt", job.label ? ordered_json(*job.label) : ordered_json(nullptr)},
          {"size", size_of(result, settings)},
          {"seconds", seconds_of(result, align)},
          {"remixed_from_video_id", nullptr},
          {"error", error_of(job)}};
}

// ---- what is asked for

constexpr const char* kPerson = "input_reference";
constexpr const char* kMotion = "motion";

constexpr http::FormLimits kForm{.files = 2, .fields = 9, .field_bytes = 65'536};

/// Of the characters of a text in UTF-8 the first.
std::string beginning(const std::string& text, std::size_t characters) {
  std::size_t at = 0;
  const auto goes_on = [&](std::size_t i) { return i < text.size() && (text[i] & '\xc0') == '\x80'; };
  for (; characters > 0 && at < text.size(); --characters) {
    for (++at; goes_on(at);) ++at;
  }
  return text.substr(0, at);
}

double positive_number(const char* name, const std::string& text) {
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || !std::isfinite(number) || number <= 0) {
    refuse_part(fmt::format("/{}", name),
                fmt::format("{} is '{}'; it must be a number above 0", name, printable(text)));
  }
  return number;
}

json object_of(const char* name, const std::string& text) {
  json object = parse_body(text);
  if (!object.is_object()) {
    refuse_part(fmt::format("/{}", name),
                fmt::format("{} must be an object of JSON, as POST /api/v1/jobs has it", name));
  }
  return object;
}

/// Puts what a field of its own says into an object that may say it, too.
void put_once(json& object, const char* part, const char* field, json value) {
  if (object.contains(part)) {
    refuse_part(fmt::format("/{}", field), fmt::format("{} is said twice: by its field and in JSON", field));
  }
  object[part] = std::move(value);
}

/// The field as the length of the video: until when the motion is taken.
void take_seconds(json& align, const std::string& text) {
  const double end = number_in(align, "start", 0) + positive_number("seconds", text) * number_in(align, "speed", 1);
  if (!std::isfinite(end)) refuse_part("/seconds", "seconds are more than a number can hold");
  put_once(align, "end", "seconds", end);
}

/// A form with the person, the motion and what else is said, each file on its way into the store.
class VideoForm final : public http::BodySink {
 public:
  VideoForm(Api& api, const http::Request& request)
      : api_(api),
        request_(request),
        announced_(announced_bytes(request)),
        form_(std::string(request.header("Content-Type").value_or("")), kForm,
              [this](const http::MultipartReader::File& file) { return begin(file); }) {}

  void write(std::string_view piece) override { form_.read(piece); }

  http::Response finish() override {
    form_.finish();
    const queue::Added added = add_job(job_body(), request_, api_);
    http::Response response = json_response(200, video_json(added.job, api_));
    response.set("Location", "/v1/videos/" + added.job.id);
    return response;
  }

 private:
  struct Sent {
    Sent(std::string of, Api& api, std::uintmax_t announced) : name(std::move(of)), file(api, announced) {}

    std::string name;
    IncomingFile file;
  };

  http::MultipartReader::Content begin(const http::MultipartReader::File& file) {
    if (file.field != kPerson && file.field != kMotion) {
      refuse_part("/" + printable(file.field),
                  fmt::format("files are {} and {}; there is none called {}", kPerson, kMotion, printable(file.field)));
    }
    auto& sent = sent_[file.field];
    if (sent) refuse_part("/" + file.field, fmt::format("{} is sent twice", file.field));
    sent = std::make_unique<Sent>(file.name, api_, announced_);
    return [&incoming = sent->file](std::string_view piece) { incoming.write(piece); };
  }

  /// The fields by their names, each of which may be there once.
  std::map<std::string, std::string> named_fields() const {
    constexpr std::array kNames{kPerson, kMotion, "prompt", "model", "size", "seconds", "settings", "align", "format"};
    static_assert(kNames.size() == kForm.fields);
    std::map<std::string, std::string> named;
    for (const auto& [name, text] : form_.fields()) {
      if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
        refuse_part("/" + printable(name),
                    fmt::format("there is no field {}: there are {}", printable(name), fmt::join(kNames, ", ")));
      }
      if (!queue::is_fit(text)) {
        refuse_part("/" + name, fmt::format("{} must be text that is UTF-8 and has no zero bytes (U+0000)", name));
      }
      if (sent_.count(name) > 0 || !named.emplace(name, text).second) {
        refuse_part("/" + name, fmt::format("{} is sent twice", name));
      }
    }
    return named;
  }

  /// As POST /api/v1/jobs takes it.
  json job_body() {
    std::map<std::string, std::string> fields = named_fields();
    for (const char* name : {kPerson, kMotion}) {
      if (const auto sent = sent_.find(name); sent != sent_.end()) {
        fields[name] = sent->second->file.finish(sent->second->name).first.id;
      } else if (fields.count(name) == 0) {
        refuse_part(fmt::format("/{}", name), fmt::format("{} is missing: a file, or the id of an asset", name));
      }
    }
    json body{{"kind", "animate"}, {"reference", fields.at(kPerson)}, {"motion", fields.at(kMotion)}};
    for (const char* name : {"settings", "align"}) {
      if (fields.count(name) > 0) body[name] = object_of(name, fields.at(name));
    }
    for (const char* name : {"model", "size"}) {
      if (fields.count(name) > 0) put_once(body["settings"], name, name, fields.at(name));
    }
    if (fields.count("seconds") > 0) take_seconds(body["align"], fields.at("seconds"));
    if (fields.count("format") > 0) body["format"] = fields.at("format");
    constexpr std::size_t kLongestLabel = 200;
    if (fields.count("prompt") > 0) body["label"] = beginning(fields.at("prompt"), kLongestLabel);
    return body;
  }

  Api& api_;
  http::Request request_;
  std::uintmax_t announced_;
  std::map<std::string, std::unique_ptr<Sent>> sent_;
  http::MultipartReader form_;
};

std::unique_ptr<http::BodySink> begin_video(const http::Request& request, Api& api) {
  if (!http::MultipartReader::is_multipart(request.header("Content-Type").value_or(""))) {
    throw http::Refused(http::problems::kUnsupportedType, "the body must be multipart/form-data");
  }
  api.require_room(announced_bytes(request));
  return std::make_unique<VideoForm>(api, request);
}

// ---- routes

queue::JobRow required_video(const http::Request& request, Api& api) {
  queue::JobRow job = required_job(request, api);
  if (job.kind != queue::JobKind::kAnimate) {
    throw http::Refused(http::problems::kNotFound, fmt::format("the job {} makes no video", job.id));
  }
  return job;
}

http::Response list_videos(const http::Request& request, Api& api) {
  constexpr std::int64_t kMost = 100;
  constexpr std::int64_t kUsual = 20;
  const std::int64_t limit = query_number(request, "limit", 1, kMost).value_or(kUsual);
  queue::JobFilter filter;
  filter.kind = queue::JobKind::kAnimate;
  filter.before = request.query_value("after");
  filter.limit = limit + 1;
  std::vector<queue::JobRow> jobs = api.queues().with([&](queue::JobQueue& queue) { return queue.list(filter); });
  const bool more = static_cast<std::int64_t>(jobs.size()) > limit;
  if (more) jobs.pop_back();
  ordered_json shown = ordered_json::array();
  for (const queue::JobRow& job : jobs) shown.push_back(video_json(job, api));
  return json_response(200, {{"object", "list"},
                             {"data", std::move(shown)},
                             {"first_id", jobs.empty() ? ordered_json(nullptr) : ordered_json(jobs.front().id)},
                             {"last_id", jobs.empty() ? ordered_json(nullptr) : ordered_json(jobs.back().id)},
                             {"has_more", more}});
}

http::Response delete_video(const http::Request& request, Api& api) {
  const std::string id = required_video(request, api).id;
  remove_job(id, api);
  return json_response(200, {{"id", id}, {"object", "video.deleted"}, {"deleted", true}});
}

}  // namespace

void add_video_routes(http::Router& router, Api& api) {
  router.add({.method = "POST",
              .pattern = "/v1/videos",
              .body = http::BodyKind::kStream,
              .begin = [&](const http::Request& request) { return begin_video(request, api); }});
  router.add({.method = "GET", .pattern = "/v1/videos", .handle = [&](const http::Request& request) {
                return list_videos(request, api);
              }});
  router.add({.method = "GET", .pattern = "/v1/videos/{id}", .handle = [&](const http::Request& request) {
                return json_response(200, video_json(required_video(request, api), api));
              }});
  router.add({.method = "DELETE", .pattern = "/v1/videos/{id}", .handle = [&](const http::Request& request) {
                return delete_video(request, api);
              }});
}

}  // namespace unianimate::server
