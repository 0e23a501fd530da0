// What a face is told of the work, and how it stops it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/family/model_files.h"
#include "unianimate/family/runtime_options.h"
#include "unianimate/pipeline/animate.h"
#include "unianimate/pipeline/estimate.h"
#include "unianimate/pipeline/plan.h"
#include "unianimate/pose/format/pose_sequence.h"
#include "unianimate/studio/align_request.h"
#include "unianimate/studio/job_keeping.h"
#include "unianimate/studio/pose_preparation.h"
#include "unianimate/studio/video_job.h"

namespace unianimate::studio {

/// Poses that are still to be taken from a motion.
struct PlannedMotion {
  AlignRequest request;
  std::int64_t poses = 0;
  double frames_per_second = 0;  ///< of the poses
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
  std::vector<pipeline::PhaseEstimate> phases;  ///< what each is likely to take where one process does it all
};

/// What was made.
struct FinishedVideo {
  VideoJob job;
  pipeline::AnimateReport report;
  double seconds = 0;
  int processes = 1;
};

/// Poses that were taken from a motion and fitted to a reference.
struct AlignedMotion {
  const AlignRequest& request;
  const AlignResult& result;
};

/// People that were found in a motion.
struct DetectedMotion {
  const AlignRequest& request;
  const pose::PoseSequence& poses;
};

/// Belongs to one piece of work: each has its own, whose cancelled() stops that work alone. Called as Progress is; the
/// default does nothing. A note is told once for each video.
class JobObserver : public Progress {
 public:
  /// Of the phases of a video, before begin_phase(): which it is, for faces that do not show its name.
  virtual void phase_begins(const pipeline::PhasePlace& place);
  /// The next video is begun, number `index` (from 0) of `count`.
  virtual void begin_video(const VideoJob& job, std::size_t index, std::size_t count);
  virtual void planned(const PlannedVideo& video);
  virtual void finished(const FinishedVideo& video);
  virtual void aligned(const AlignedMotion& motion);
  virtual void detected(const DetectedMotion& motion);
};

/// Passes everything on, but of equal notes on a video only the first.
class NotesOnce final : public JobObserver {
 public:
  explicit NotesOnce(JobObserver& observer) : observer_(observer) {}

  void begin_phase(std::string_view name, std::int64_t total) override { observer_.begin_phase(name, total); }
  void step(std::int64_t done) override { observer_.step(done); }
  void note(const std::string& message) override;
  [[nodiscard]] bool cancelled() const override { return observer_.cancelled(); }
  void phase_begins(const pipeline::PhasePlace& place) override { observer_.phase_begins(place); }
  void begin_video(const VideoJob& job, std::size_t index, std::size_t count) override;
  void planned(const PlannedVideo& video) override { observer_.planned(video); }
  void finished(const FinishedVideo& video) override { observer_.finished(video); }
  void aligned(const AlignedMotion& motion) override { observer_.aligned(motion); }
  void detected(const DetectedMotion& motion) override { observer_.detected(motion); }

 private:
  JobObserver& observer_;
  std::set<std::string> told_;
};

}  // namespace unianimate::studio
