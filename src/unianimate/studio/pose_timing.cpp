#include "unianimate/studio/pose_timing.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "unianimate/core/error.h"
#include "unianimate/core/scratch_folder.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/detect/people_search.h"
#include "unianimate/studio/motion_opening.h"
#include "unianimate/studio/motion_times.h"
#include "unianimate/studio/report_folder.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kTriedFrames = 16;

/// Remembers how long each phase took.
class PhaseTimes final : public Progress {
 public:
  explicit PhaseTimes(const Progress& outer) : outer_(outer) {}

  void begin_phase(std::string_view name, std::int64_t /*total*/) override {
    end();
    phase_ = name;
  }
  void end() {
    const Clock::time_point now = Clock::now();
    seconds_[phase_] += std::chrono::duration<double>(now - since_).count();
    since_ = now;
  }
  [[nodiscard]] bool cancelled() const override { return outer_.cancelled(); }
  [[nodiscard]] const std::map<std::string, double>& seconds() const { return seconds_; }

 private:
  const Progress& outer_;
  std::string phase_;
  Clock::time_point since_ = Clock::now();
  std::map<std::string, double> seconds_;
};

/// Where the part with the first frames ends; nothing where the motion has no more.
std::optional<double> end_of_trial(const AlignRequest& request) {
  const std::unique_ptr<FrameSource> source = open_motion(request, false);
  const std::vector<double> seconds = source ? source->info().seconds : std::vector<double>();
  if (std::ssize(seconds) <= kTriedFrames) return request.end_seconds;
  return seconds[static_cast<std::size_t>(kTriedFrames)];
}

/// Whether who is in the motion was found out earlier.
bool is_found(const AlignRequest& request) {
  std::error_code ignored;
  return !holds_pose_numbers(request.motion) &&
         fs::exists(pose::found_people_file(report_folder(request.output), request.motion, source_options(request),
                                            request.detector),
                    ignored);
}

double time_drawing(std::int64_t poses, const VideoJob& job) {
  const ScratchFolder scratch;
  const Image dark(job.request.width, job.request.height);
  const auto start = Clock::now();
  for (std::int64_t i = 0; i < kTriedFrames; ++i) write_png(scratch.path() / "pose.png", dark);
  return std::chrono::duration<double>(Clock::now() - start).count() * static_cast<double>(poses) / kTriedFrames;
}

}  // namespace

double time_poses(const PlannedMotion& motion, const VideoJob& job, const Progress& progress) {
  if (motion.request.reference.empty()) return time_drawing(motion.poses, job);
  const ScratchFolder scratch;
  AlignRequest trial = motion.request;
  trial.output = scratch.path() / "poses";
  trial.end_seconds = end_of_trial(motion.request);
  const MotionTimes all = read_motion_times(motion.request);
  const MotionTimes tried = read_motion_times(trial);
  PhaseTimes times(progress);
  try {
    prepare_poses(trial, times);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
  }
  times.end();
  const double frames = static_cast<double>(all.frames) / static_cast<double>(tried.frames);
  const double poses = static_cast<double>(all.poses) / static_cast<double>(tried.poses);
  const std::map<std::string, double> scales{
      {"find people", is_found(motion.request) ? 0 : frames}, {"draw poses", poses}, {"preview", poses}};
  double seconds = 0;
  for (const auto& [phase, taken] : times.seconds()) {
    const auto scale = scales.find(phase);
    seconds += taken * (scale != scales.end() ? scale->second : 1);
  }
  return seconds;
}

}  // namespace unianimate::studio
