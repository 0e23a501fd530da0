// For people: progress on stderr, results on stdout.
#pragma once

#include <chrono>

#include "unianimate/cli/reporter.h"

namespace unianimate::cli {

/// Where stderr is a terminal, one line that is drawn anew at most ten times a second; else a line at the beginning of
/// a phase and every few seconds.
class TerminalReporter final : public Reporter {
 public:
  /// `quiet`: neither progress nor notes nor summaries; the paths of finished videos only.
  explicit TerminalReporter(bool quiet);
  ~TerminalReporter() override;
  TerminalReporter(const TerminalReporter&) = delete;
  TerminalReporter& operator=(const TerminalReporter&) = delete;

  void note(const std::string& message) override;
  void begin_video(const VideoJob& job, std::size_t index, std::size_t count) override;
  void planned(const PlannedVideo& video) override;
  void finished(const FinishedVideo& video) override;
  void aligned(const AlignedMotion& motion) override;
  void detected(const DetectedMotion& motion) override;
  void failed(const std::string& message, int exit_status) override;

 protected:
  void show_progress(bool phase_begins) override;

 private:
  [[nodiscard]] std::string progress_line() const;
  void erase_line();

  bool quiet_;
  bool on_terminal_;
  bool line_shown_ = false;
  std::chrono::steady_clock::time_point last_shown_;
};

}  // namespace unianimate::cli
