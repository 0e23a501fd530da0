#include "unianimate/cli/reporter.h"

#include <fmt/format.h>

#include "unianimate/cli/interruption.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/terminal_reporter.h"

namespace unianimate::cli {

void Reporter::begin_phase(std::string_view name, std::int64_t total) {
  phase_ = name;
  if (trace_) trace_->begin_phase(name);
  meter_.begin(total, std::chrono::steady_clock::now());
  show_progress(true);
}

void Reporter::step(std::int64_t done) {
  if (trace_) trace_->step(done);
  meter_.step(done, std::chrono::steady_clock::now());
  show_progress(false);
}

void Reporter::finish_trace() {
  if (trace_) trace_->finish();
  trace_.reset();
}

bool Reporter::cancelled() const {
  return interrupted();
}

std::string Reporter::position() const {
  if (phase_.empty()) return {};
  if (meter_.total() == 0) return fmt::format("in the phase '{}'", phase_);
  return fmt::format("in the phase '{}' after {} of {} steps", phase_, meter_.done(), meter_.total());
}

std::unique_ptr<Reporter> make_reporter(bool json, bool quiet) {
  if (json) return std::make_unique<JsonReporter>(quiet);
  return std::make_unique<TerminalReporter>(quiet);
}

}  // namespace unianimate::cli
