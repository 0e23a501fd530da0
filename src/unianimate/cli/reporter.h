// How commands tell people or other programs what is going on: the common part.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "unianimate/cli/job_keeping.h"
#include "unianimate/cli/progress_meter.h"
#include "unianimate/core/device.h"
#include "unianimate/core/progress.h"
#include "unianimate/family/model_files.h"
#include "unianimate/pipeline/animate.h"
#include "unianimate/pipeline/plan.h"
#include "unianimate/pipeline/video_job.h"
#include "unianimate/studio/align_request.h"
#include "unianimate/studio/pose_preparation.h"

namespace unianimate::cli {

/// The most of an error's message that is shown.
constexpr std::size_t kMessageBytes = 4096;

using pipeline::VideoJob;

/// Poses that are still to be taken from a motion.
struct PlannedMotion {
  studio::AlignRequest request;
  std::string person;    ///< as it was asked for
  std::string detector;  ///< likewise
  std::int64_t poses = 0;
};

/// What would be made.
struct PlannedVideo {
  const VideoJob& job;
  const pipeline::AnimatePlan& plan;
  const family::ModelFiles& files;
  const family::RuntimeOptions& runtime;
  const JobKeeping& keeping;
  std::filesystem::path job_folder;            ///< empty: none
  const std::optional<PlannedMotion>& motion;  ///< none: the poses are there
  int processes = 1;
  double seconds = 0;  ///< estimate
};

/// What was made.
struct FinishedVideo {
  const VideoJob& job;
  const pipeline::AnimateReport& report;
  double seconds = 0;
  int processes = 1;
};

/// Poses that were taken from a motion and fitted to a reference.
struct AlignedMotion {
  const studio::AlignRequest& request;
  const studio::AlignResult& result;
};

/// People that were found in a motion.
struct DetectedMotion {
  const studio::AlignRequest& request;
  const pose::PoseSequence& poses;
};

/// Cancelled by Ctrl-C. Subclasses show; this class remembers where the work stands.
class Reporter : public Progress {
 public:
  void begin_phase(std::string_view name, std::int64_t total) final;
  void step(std::int64_t done) final;
  [[nodiscard]] bool cancelled() const final;

  /// The next video is begun, number `index` (from 0) of `count`.
  virtual void begin_video(const VideoJob& job, std::size_t index, std::size_t count) = 0;
  virtual void planned(const PlannedVideo& video) = 0;
  virtual void finished(const FinishedVideo& video) = 0;
  virtual void aligned(const AlignedMotion& motion) = 0;
  virtual void detected(const DetectedMotion& motion) = 0;
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
};

/// `json`: one JSON object a line on stdout, see json_reporter.h; else text. `quiet`: no progress.
std::unique_ptr<Reporter> make_reporter(bool json, bool quiet);

}  // namespace unianimate::cli
