#include "unianimate/studio/studio.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/families/families.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/pipeline/estimate.h"
#include "unianimate/studio/job_checks.h"
#include "unianimate/studio/job_folder.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/ordered_poses.h"
#include "unianimate/studio/picture_timing.h"
#include "unianimate/studio/pose_timing.h"
#include "unianimate/studio/video_plans.h"
#include "unianimate/studio/video_production.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

struct Studio::State {
  fs::path models;  ///< folder; empty where the files are named
  std::optional<family::ModelFiles> known_files;
  family::RuntimeOptions runtime;
  distributed::ProcessGroup* group;
  std::unique_ptr<family::Family> opened;

  [[nodiscard]] bool writes() const { return is_first(group); }
  const family::ModelFiles& files() {
    if (!known_files) known_files = families::find_files(models);
    return *known_files;
  }
  family::Family& family() {
    if (!opened) opened = families::open_family(files(), runtime);
    return *opened;
  }
};

/// One call of plan() or make(): the videos, and what has been found out about them.
class Studio::Session {
 public:
  Session(State& studio, std::vector<VideoJob> jobs, JobKeeping keeping, JobObserver& observer)
      : studio_(studio), jobs_(std::move(jobs)), keeping_(std::move(keeping)), observer_(observer) {}

  /// Of one video; its poses are made, or only counted.
  void take(const VideoOrder& order, bool planned);
  void plan();
  void tell_plans();
  std::vector<FinishedVideo> make();

 private:
  void plan_early(const VideoJob& job, std::int64_t poses);
  void tell_rare_saving(const family::AnimateRequest& request);
  void suit_size(PictureSize reference, family::AnimateRequest& request);
  const std::vector<pipeline::PhaseEstimate>& estimate(const VideoJob& job, const pipeline::AnimatePlan& plan);
  FinishedVideo make_video(std::size_t index);
  [[nodiscard]] JobRecord record_of(const VideoJob& job, const pipeline::AnimatePlan& plan,
                                    const fs::path& preview) const;
  std::unique_ptr<JobFolder> begin_job(const VideoJob& job, const pipeline::AnimatePlan& plan, const fs::path& preview);
  void require_suitable_job(const VideoJob& job);

  State& studio_;
  std::vector<VideoJob> jobs_;
  JobKeeping keeping_;
  NotesOnce observer_;
  Inputs inputs_;                        ///< what the videos are made from
  std::optional<PlannedMotion> motion_;  ///< where the poses are still to be taken from it
  std::optional<double> pose_seconds_;   ///< what making the poses took
  std::optional<VideoPlans> plans_;
  std::map<const pipeline::AnimatePlan*, std::vector<pipeline::PhaseEstimate>> estimates_;
};

void Studio::Session::take(const VideoOrder& order, bool planned) {
  order.check();
  VideoJob& job = jobs_.emplace_back(order.job);
  job.frames_per_second = order.frames_per_second.value_or(kPublishedFramesPerSecond);
  if (order.size && order.size->pixels) {
    job.request.width = order.size->pixels->width;
    job.request.height = order.size->pixels->height;
  }
  refuse_unused_fields(order);
  job.request.check();
  const ReferencePicture reference = read_reference(job.request.reference, job.request.background);
  const PictureSize shape{reference.image.width, reference.image.height};
  const bool draws = needs_drawing(order);
  if (!draws) family::open_pose_folder(job.request.poses);
  inputs_.add_folder(order.motion);
  add_inputs(jobs_, {}, studio_.runtime, inputs_);
  if (studio_.writes()) check_job_output(job, inputs_);
  inputs_.refuse(order.saved_poses);
  inputs_.refuse(keeping_.folder);
  if (!keeping_.folder.empty()) JobFolder::refuse_other(keeping_.folder);
  studio_.files();
  tell_models(studio_.models, observer_);
  tell_sampling(job.request, studio_.models, studio_.runtime.loras, observer_);
  if (order.size && !order.size->pixels) suit_size(shape, job.request);
  const VideoFrame frame{order.chosen_fit(), {job.request.width, job.request.height}};
  if (!draws) {
    job.request.framing = frame_pose_pictures(frame, shape, job.request);
    return;
  }
  // says now what would fail after the poses
  pipeline::check_size(job.request.width, job.request.height, studio_.family().geometry());
  static_cast<void>(studio_.family().check());
  if (group_size(studio_.group) > 1) {
    throw Error(ErrorKind::kUsage,
                "several processes need pose pictures that are there already: run 'unianimate align' first and give "
                "its output to --poses");
  }
  require_outside(job.output, keeping_.folder);
  const OrderedPoses poses(order, frame, inputs_, job, observer_);
  const PlannedMotion motion = poses.count(job);
  if (planned) {
    job.request.framing = poses.framing(shape);
    motion_ = motion;
  } else {
    plan_early(job, motion.poses);
    const auto start = std::chrono::steady_clock::now();
    poses.make(shape, job);
    pose_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
}

/// Says now what the plan would refuse after the poses are made.
void Studio::Session::plan_early(const VideoJob& job, std::int64_t poses) {
  const pipeline::AnimationPlanner planner(studio_.family(), preview_options(keeping_), sink_pixel_bytes(job));
  const pipeline::AnimatePlan plan = planner.plan_for_poses(job.request, poses);
  check_video(job, plan, studio_.writes());
}

/// The size of the reference's shape at the area that the models were trained for.
void Studio::Session::suit_size(PictureSize reference, family::AnimateRequest& request) {
  const PictureSize usual{request.width, request.height};
  const auto unit = static_cast<int>(studio_.family().geometry().side_unit);
  const PictureSize size = size_for(reference, usual, unit);
  request.width = size.width;
  request.height = size.height;
}

void Studio::Session::plan() {
  add_inputs(jobs_, studio_.files(), studio_.runtime, inputs_);
  inputs_.refuse(keeping_.folder);
  for (const VideoJob& job : jobs_) {
    require_outside(job.output, keeping_.folder);
    inputs_.refuse(job.output);
  }
  std::int64_t pixel_bytes = 0;
  for (const VideoJob& job : jobs_) pixel_bytes = std::max(pixel_bytes, sink_pixel_bytes(job));
  plans_.emplace(studio_.family(), keeping_, motion_, pixel_bytes);
  for (VideoJob& job : jobs_) {
    const pipeline::AnimatePlan& plan = plans_->of(job.request);
    if (job.poses_per_second) {
      job.frames_per_second = *job.poses_per_second / static_cast<double>(plan.selection.frame_interval);
    }
    check_video(job, plan, studio_.writes());
    if (!studio_.writes()) continue;
    if (keeping_.save_every > 0) {
      const fs::path& folder = keeping_.folder.empty() ? job.output : keeping_.folder;
      require_room(folder, static_cast<std::uintmax_t>(job_bytes(job.request, plan)), "its job");
      tell_rare_saving(job.request);
    }
  }
}

void Studio::Session::tell_rare_saving(const family::AnimateRequest& request) {
  constexpr std::int64_t kRare = 5;
  const std::int64_t every = request.shortcuts.features_every();
  if (every < kRare || every <= keeping_.save_every) return;
  if (every >= request.sampling.step_count()) {
    return observer_.note("no step is saved before the last, as all reuse the features of the first");
  }
  observer_.note(fmt::format(
      "what is done is saved only every {} steps, when the features that are reused between are computed anew", every));
}

void Studio::Session::tell_plans() {
  if (!studio_.writes()) return;
  for (const VideoJob& job : jobs_) {
    observer_.throw_if_cancelled();
    require_suitable_job(job);
    const pipeline::AnimatePlan& plan = plans_->of(job.request);
    observer_.planned({job, plan, studio_.files(), studio_.runtime, keeping_, wanted_job_folder(job, keeping_), motion_,
                       group_size(studio_.group), estimate(job, plan)});
  }
}

/// Once for each plan.
const std::vector<pipeline::PhaseEstimate>& Studio::Session::estimate(const VideoJob& job,
                                                                      const pipeline::AnimatePlan& plan) {
  const auto [known, is_new] = estimates_.try_emplace(&plan);
  std::vector<pipeline::PhaseEstimate>& phases = known->second;
  if (!is_new) return phases;
  phases =
      pipeline::estimate_phases(plan, studio_.family(), time_pictures(job, plan, !motion_, keeping_.save_every > 0));
  if (motion_) {
    phases.insert(phases.begin(), {pipeline::PhaseKind::kTakePoses, time_poses(*motion_, job, observer_)});
  }
  return phases;
}

std::vector<FinishedVideo> Studio::Session::make() {
  observer_.note(studio_.runtime.compute.reason);
  if (keeping_.preview_every > 0 && studio_.writes()) {
    constexpr VideoFormat kAny{16, 16, 1, 0};
    check_output(preview_file(jobs_.front(), inputs_), kAny);
  }
  std::vector<FinishedVideo> finished;
  for (std::size_t index = 0; index < jobs_.size(); ++index) finished.push_back(make_video(index));
  return finished;
}

FinishedVideo Studio::Session::make_video(std::size_t index) {
  const VideoJob& job = jobs_[index];
  observer_.throw_if_cancelled();
  observer_.begin_video(job, index, jobs_.size());
  const pipeline::AnimatePlan& plan = plans_->with_pictures(job.request);
  const fs::path preview = preview_file(job, inputs_);
  if (keeping_.preview_every > 0 && studio_.writes()) {
    tell_place(beside_output(job.output, "-preview.mp4"), preview, observer_);
  }
  return produce({job, plan, begin_job(job, plan, preview), preview_options(keeping_), preview, keeping_.keep,
                  studio_.group, pose_seconds_},
                 studio_.family(), observer_);
}

/// What would be kept of the video.
JobRecord Studio::Session::record_of(const VideoJob& job, const pipeline::AnimatePlan& plan,
                                     const fs::path& preview) const {
  JobRecord record = make_job_record(job, plan, studio_.files(), studio_.runtime);
  record.save_every = keeping_.save_every;
  record.keep = keeping_.keep;
  record.preview = preview_options(keeping_);
  record.preview_file = fs::absolute(preview);
  return record;
}

/// Null where none is kept, and in all processes but the first.
std::unique_ptr<JobFolder> Studio::Session::begin_job(const VideoJob& job, const pipeline::AnimatePlan& plan,
                                                      const fs::path& preview) {
  if (keeping_.save_every == 0 || !studio_.writes()) return nullptr;
  return studio::begin_job(record_of(job, plan, preview), wanted_job_folder(job, keeping_), keeping_, observer_);
}

/// Says what begin_job() would refuse. Where the poses are still to be made, nobody knows what the job would hold.
void Studio::Session::require_suitable_job(const VideoJob& job) {
  if (keeping_.folder.empty() || keeping_.save_every == 0 || motion_) return;
  const pipeline::AnimatePlan& plan = plans_->with_pictures(job.request);
  JobFolder::require_suitable(keeping_.folder, record_of(job, plan, preview_file(job, inputs_)));
}

Studio::Studio(std::unique_ptr<State> state) : state_(std::move(state)) {}
Studio::~Studio() = default;
Studio::Studio(Studio&&) noexcept = default;
Studio& Studio::operator=(Studio&&) noexcept = default;

Studio Studio::open(const fs::path& models, const family::RuntimeOptions& runtime, distributed::ProcessGroup* group) {
  return Studio(std::make_unique<State>(State{models, std::nullopt, runtime, group, nullptr}));
}

Studio Studio::open(const family::ModelFiles& files, const family::RuntimeOptions& runtime,
                    distributed::ProcessGroup* group) {
  return Studio(std::make_unique<State>(State{{}, files, runtime, group, nullptr}));
}

family::Family& Studio::models() {
  return state_->family();
}

FinishedVideo Studio::make(const VideoOrder& order, JobObserver& observer) {
  Session session(*state_, {}, order.keeping, observer);
  session.take(order, false);
  session.plan();
  return session.make().front();
}

std::vector<FinishedVideo> Studio::make(std::vector<VideoJob> jobs, const JobKeeping& keeping, JobObserver& observer) {
  if (jobs.empty()) return {};
  check_jobs(jobs);
  if (state_->writes()) {
    for (const VideoJob& job : jobs) check_job_output(job, {});
  }
  Session session(*state_, std::move(jobs), keeping, observer);
  session.plan();
  return session.make();
}

void Studio::plan(const VideoOrder& order, JobObserver& observer) {
  Session session(*state_, {}, order.keeping, observer);
  session.take(order, true);
  session.plan();
  session.tell_plans();
}

void Studio::plan(std::vector<VideoJob> jobs, const JobKeeping& keeping, JobObserver& observer) {
  check_jobs(jobs);
  Session session(*state_, std::move(jobs), keeping, observer);
  session.plan();
  session.tell_plans();
}

}  // namespace unianimate::studio
