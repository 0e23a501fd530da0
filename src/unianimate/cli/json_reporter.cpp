#include "unianimate/cli/json_reporter.h"

#include <nlohmann/json.hpp>

#include "unianimate/cli/console.h"
#include "unianimate/core/error.h"
#include "unianimate/studio/event_json.h"

namespace unianimate::cli {

using nlohmann::ordered_json;

namespace {

std::string json_line(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

void print_event(const char* event, const ordered_json& content) {
  ordered_json object{{"event", event}};
  object.update(content);
  print_json_line(object);
}

void print_passing_json_line(const ordered_json& object) {
  print_passing(json_line(object));
}

}  // namespace

void print_json_line(const ordered_json& object) {
  write_text(stdout, json_line(object));
}

void JsonReporter::note(const std::string& message) {
  if (quiet_) return;
  const ordered_json object{{"event", "note"}, {"message", message}};
  if (notes_ != stdout) return write_text(notes_, json_line(object));
  print_passing_json_line(object);
}

void JsonReporter::begin_video(const VideoJob& job, std::size_t index, std::size_t count) {
  print_passing_json_line({{"event", "video"}, {"index", index}, {"count", count}, {"output", job.output.string()}});
}

void JsonReporter::planned(const PlannedVideo& video) {
  print_event("plan", studio::plan_json(video));
}

void JsonReporter::finished(const FinishedVideo& video) {
  print_event("result", studio::result_json(video));
}

void JsonReporter::aligned(const AlignedMotion& motion) {
  print_event("poses", studio::poses_json(motion));
}

void JsonReporter::detected(const DetectedMotion& motion) {
  print_event("people", studio::people_json(motion));
}

void JsonReporter::failed(const std::string& message, int exit_status) {
  print_json_line({{"event", "error"}, {"message", message}, {"exit_status", exit_status}});
  print(stderr, "unianimate: {}\n", printable(message, kMessageBytes));
}

void JsonReporter::show_progress(bool phase_begins) {
  constexpr std::chrono::milliseconds kBetweenSteps{100};
  if (quiet_) return;
  if (phase_begins) return print_passing_json_line({{"event", "phase"}, {"name", phase()}, {"total", meter().total()}});
  const auto now = std::chrono::steady_clock::now();
  if (meter().done() != meter().total() && now - last_step_ < kBetweenSteps) return;
  last_step_ = now;
  const auto left = meter().seconds_left(now);
  print_passing_json_line({{"event", "step"},
                           {"phase", phase()},
                           {"done", meter().done()},
                           {"total", meter().total()},
                           {"seconds_left", left ? ordered_json(*left) : ordered_json(nullptr)}});
}

}  // namespace unianimate::cli
