// How commands tell people or other programs what is going on: the common part.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "unianimate/core/trace.h"
#include "unianimate/studio/job_observer.h"
#include "unianimate/studio/progress_meter.h"

namespace unianimate::cli {

/// The most of an error's message that is shown.
constexpr std::size_t kMessageBytes = 4096;

using studio::AlignedMotion;
using studio::DetectedMotion;
using studio::FinishedVideo;
using studio::format_duration;
using studio::PlannedMotion;
using studio::PlannedVideo;
using studio::ProgressMeter;
using studio::VideoJob;

/// Cancelled by Ctrl-C. Subclasses show; this class remembers where the work stands.
class Reporter : public studio::JobObserver {
 public:
  void begin_phase(std::string_view name, std::int64_t total) final;
  void step(std::int64_t done) final;
  [[nodiscard]] bool cancelled() const final;

  /// From now on, by this thread. Throws as Trace does.
  void trace(const std::filesystem::path& file) { trace_.emplace(file); }
  /// The trace is in its place then, where there is one. Throws as Trace::finish() does.
  void finish_trace();

  /// The command ends with an error.
  virtual void failed(const std::string& message, int exit_status) = 0;

  /// "in the phase 'sample' after 3 of 31 steps"; empty before the first phase.
  [[nodiscard]] std::string position() const;

 protected:
  /// The phase begins, or a step of it is done.
  virtual void show_progress(bool phase_begins) = 0;

  [[nodiscard]] const std::string& phase() const { return phase_; }
  [[nodiscard]] const ProgressMeter& meter() const { return meter_; }

 private:
  std::string phase_;
  ProgressMeter meter_;
  std::optional<Trace> trace_;
};

/// `json`: one JSON object a line on stdout, see json_reporter.h; else text. `quiet`: no progress.
std::unique_ptr<Reporter> make_reporter(bool json, bool quiet);

}  // namespace unianimate::cli
