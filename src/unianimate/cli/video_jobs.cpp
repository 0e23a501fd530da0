#include "unianimate/cli/video_jobs.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/families/families.h"
#include "unianimate/family/pose_folder.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/pipeline/estimate.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

VideoFormat video_format(const VideoJob& job, const pipeline::AnimatePlan& plan) {
  return {plan.output_width, plan.output_height, job.frames_per_second, job.threads};
}

/// Opens the file when the first frame comes, which may be hours after the work began.
class LateSink : public FrameSink {
 public:
  LateSink(const VideoJob& job, const VideoFormat& format) : job_(job), format_(format) {}

  void write(const Image& frame) override {
    if (!sink_) sink_ = open_video_writer(job_.output, format_, job_.audio);
    sink_->write(frame);
  }
  void finish() override { sink_->finish(); }
  [[nodiscard]] std::string trouble() const override { return sink_ ? sink_->trouble() : ""; }

 private:
  const VideoJob& job_;
  VideoFormat format_;
  std::unique_ptr<FrameSink> sink_;
};

/// "videos/dance.mp4", "-job" -> "videos/dance-job"
fs::path beside_output(const fs::path& output, std::string_view ending) {
  fs::path path = without_trailing_separator(output);
  return beside(path.replace_extension(), ending);
}

/// Where the previews of a video go.
fs::path preview_file(const VideoJob& job, const Inputs& inputs) {
  return own_place(beside_output(job.output, "-preview.mp4"), kPreviewMark, inputs);
}

void require_outside(const fs::path& output, const fs::path& job_folder) {
  if (job_folder.empty()) return;
  const fs::path folder = fs::absolute(without_trailing_separator(job_folder)).lexically_normal();
  const fs::path inside = fs::absolute(output).lexically_normal().lexically_relative(folder);
  if (!inside.empty() && *inside.begin() != "..") {
    throw Error(ErrorKind::kUsage, "the output {} lies in the folder of its job, {}; give another --job or --output",
                printable(output.string()), printable(job_folder.string()));
  }
}

pipeline::PreviewOptions preview_options(const JobKeeping& keeping, const fs::path& file) {
  return {keeping.preview_every, keeping.preview_decoded, file};
}

/// Only the first process writes and talks.
bool is_first(const distributed::ProcessGroup* group) {
  return group == nullptr || group->rank() == 0;
}

int group_size(const distributed::ProcessGroup* group) {
  return group != nullptr ? group->size() : 1;
}

/// Null without a folder, and in all processes but the first.
std::unique_ptr<pipeline::JobFolder> begin_job(const VideoJob& job, const pipeline::AnimatePlan& plan,
                                               const JobOptions& options, const fs::path& preview, Reporter& reporter) {
  if (options.keeping.save_every == 0 || !is_first(options.group)) return nullptr;
  pipeline::JobRecord record = pipeline::make_job_record(job, plan, options.files, options.runtime);
  record.save_every = options.keeping.save_every;
  record.keep = options.keeping.keep;
  record.preview = preview_options(options.keeping, fs::absolute(preview));
  fs::path folder = options.keeping.folder;
  if (folder.empty()) {
    const fs::path first = beside_output(job.output, "-job");
    folder = own_folder(first, [&](const fs::path& place) { return pipeline::JobFolder::suits(place, record); });
    if (folder != first) {
      reporter.note(fmt::format(
          "{} holds another unfinished job ('unianimate job show' tells) or something else, so this one is kept in {}",
          printable(first.string()), printable(folder.string())));
    }
  }
  auto begun = pipeline::JobFolder::create(folder, record);
  if (begun->holds_work()) {
    reporter.note(fmt::format("the unfinished job in {} is gone on with", folder.string()));
  }
  return begun;
}

struct MakeOptions {
  pipeline::PreviewOptions preview;
  bool keep = false;
  distributed::ProcessGroup* group = nullptr;
};

/// Opens the previews of a video, each in place of the one before.
pipeline::OpenPreview preview_opener(const fs::path& wanted, double frames_per_second, Reporter& reporter) {
  return [wanted, frames_per_second, &reporter, last = fs::path()](int width, int height) mutable {
    const fs::path file = own_place(wanted, kPreviewMark);
    if (std::exchange(last, file) != file) tell_place(wanted, file, reporter);
    return open_video_writer(file, {width, height, frames_per_second, 0, VideoEffort::kPreview});
  };
}

void make_video(const VideoJob& job, const pipeline::AnimatePlan& plan, std::unique_ptr<pipeline::JobFolder> folder,
                const MakeOptions& options, family::Family& family, Reporter& reporter) {
  const auto start = std::chrono::steady_clock::now();
  LateSink sink(job, video_format(job, plan));
  try {
    const pipeline::AnimateReport report =
        pipeline::animate(family, plan, sink, reporter,
                          {folder.get(),
                           options.preview,
                           preview_opener(options.preview.file, job.frames_per_second, reporter),
                           options.group,
                           {}});
    if (!is_first(options.group)) return;
    if (!sink.trouble().empty()) reporter.note(sink.trouble());
    if (folder && !options.keep) folder->remove();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    reporter.finished({job, report, seconds.count(), group_size(options.group)});
  } catch (...) {
    if (folder && folder->holds_work()) {
      reporter.note(fmt::format("what is done is kept: 'unianimate resume {}' goes on", folder->folder().string()));
    } else if (folder) {
      folder->remove();
    }
    throw;
  }
}

/// What is out of reason in a job is the fault of its files, not of whoever resumes it.
pipeline::AnimatePlan checked_plan(const pipeline::JobRecord& record, const family::Family& family, bool writes) {
  try {
    if (writes) check_job_output(record.job, {});
    return pipeline::plan_animation(record.job.request, family, record.preview);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUsage) throw;
    throw Error(ErrorKind::kInput, "the job cannot go on: {}", error.what());
  }
}

}  // namespace

void check_jobs(const std::vector<VideoJob>& jobs) {
  std::set<fs::path> references;
  std::set<fs::path> pose_folders;
  for (const VideoJob& job : jobs) {
    job.request.check();
    if (references.insert(job.request.reference).second) read_image(job.request.reference);
    if (pose_folders.insert(job.request.poses).second) family::open_pose_folder(job.request.poses);
  }
}

void add_inputs(std::span<const VideoJob> jobs, const family::ModelFiles& files, const family::RuntimeOptions& runtime,
                Inputs& inputs) {
  // Looking at a folder takes long where thousands of jobs share it.
  std::set<fs::path> pose_folders;
  std::set<fs::path> references;
  for (const VideoJob& job : jobs) {
    if (references.insert(job.request.reference).second) inputs.add(job.request.reference);
    if (pose_folders.insert(job.request.poses).second) inputs.add_folder(job.request.poses);
    if (job.audio) inputs.add(job.audio->file);
  }
  for (const fs::path& file : {files.unet, files.autoencoder, files.clip, files.description}) inputs.add(file);
  for (const family::LoraFile& lora : runtime.loras) inputs.add(lora.path);
}

void check_job_output(const VideoJob& job, const Inputs& inputs) {
  inputs.refuse(job.output);
  check_output(job.output, {job.request.width, job.request.height, job.frames_per_second, job.threads});
}

namespace {

/// Plans of many videos, of which those that differ only in seed and output have one. What a plan says of pictures is
/// left out, so that it stays small.
class SharedPlans {
 public:
  SharedPlans(const family::Family& family, const JobOptions& options)
      : planner_(family, preview_options(options.keeping, {})), motion_(options.motion) {}

  const pipeline::AnimatePlan& of(const family::AnimateRequest& request) {
    family::AnimateRequest any_seed = request;
    any_seed.seed = 0;
    const auto [entry, is_new] = plans_.try_emplace(
        pipeline::request_json(any_seed).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    if (!is_new) return entry->second;
    entry->second = plan(request);
    entry->second.pose_folder = {};
    entry->second.selection.indices = {};
    return entry->second;
  }

  /// With its pictures.
  [[nodiscard]] pipeline::AnimatePlan plan(const family::AnimateRequest& request) const {
    return motion_ ? planner_.plan_for_poses(request, motion_->poses) : planner_.plan(request);
  }

 private:
  pipeline::AnimationPlanner planner_;
  const std::optional<PlannedMotion>& motion_;
  std::map<std::string, pipeline::AnimatePlan> plans_;
};

}  // namespace

void run_jobs(std::vector<VideoJob> jobs, const JobOptions& options,
              const std::function<void(const family::ModelConfigs&)>& check_models, Reporter& reporter) {
  Inputs inputs = options.inputs;
  add_inputs(jobs, options.files, options.runtime, inputs);
  inputs.refuse(options.keeping.folder);
  for (const VideoJob& job : jobs) {
    require_outside(job.output, options.keeping.folder);
    inputs.refuse(job.output);
  }
  const family::ModelConfigs configs = family::read_model_configs(options.files);
  check_models(configs);
  const std::unique_ptr<family::Family> models = family::open_family(options.files, options.runtime);
  SharedPlans plans(*models, options);
  for (VideoJob& job : jobs) {
    const pipeline::AnimatePlan& plan = plans.of(job.request);
    if (job.poses_per_second) {
      job.frames_per_second = *job.poses_per_second / static_cast<double>(plan.selection.frame_interval);
    }
    const VideoFormat format = video_format(job, plan);
    format.check();
    if (!is_first(options.group)) continue;
    check_space(job.output, format, plan.frames());
    if (options.keeping.save_every > 0) {
      const fs::path& folder = options.keeping.folder.empty() ? job.output : options.keeping.folder;
      require_room(folder, static_cast<std::uintmax_t>(pipeline::job_bytes(job.request, plan)), "its job");
    }
  }
  if (options.dry_run) {
    if (!is_first(options.group)) return;
    for (const VideoJob& job : jobs) {
      reporter.throw_if_cancelled();
      const pipeline::AnimatePlan& plan = plans.of(job.request);
      fs::path folder = options.keeping.folder;
      if (folder.empty()) folder = beside_output(job.output, "-job");
      if (options.keeping.save_every == 0) folder.clear();
      const double seconds = pipeline::estimate_seconds(plan, options.runtime.compute);
      reporter.planned({job, plan, options.files, options.runtime, options.keeping, folder, options.motion,
                        group_size(options.group), seconds});
    }
    return;
  }
  reporter.note(options.runtime.compute.reason);
  if (options.keeping.preview_every > 0 && is_first(options.group)) {
    check_output(preview_file(jobs.front(), inputs), {16, 16, 1, 0});
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    reporter.throw_if_cancelled();
    reporter.begin_video(jobs[i], i, jobs.size());
    const pipeline::AnimatePlan plan = plans.plan(jobs[i].request);
    const fs::path file = preview_file(jobs[i], inputs);
    if (options.keeping.preview_every > 0 && is_first(options.group)) {
      tell_place(beside_output(jobs[i].output, "-preview.mp4"), file, reporter);
    }
    make_video(jobs[i], plan, begin_job(jobs[i], plan, options, file, reporter),
               {preview_options(options.keeping, file), options.keeping.keep, options.group}, *models, reporter);
  }
}

void resume_job(std::unique_ptr<pipeline::JobFolder> job, const pipeline::JobRecord& record,
                const ResumeOptions& options, Reporter& reporter) {
  const std::unique_ptr<family::Family> models = family::open_family(record.files, options.runtime);
  Inputs inputs;
  for (const auto& [path, hash] : record.inputs) inputs.add(path);
  inputs.refuse(record.job.output);
  const pipeline::AnimatePlan plan = checked_plan(record, *models, is_first(options.group));
  if (is_first(options.group)) check_space(record.job.output, video_format(record.job, plan), plan.frames());
  if (job) {
    const std::int64_t missing =
        pipeline::job_bytes(record.job.request, plan) - pipeline::summarize_job(job->folder()).bytes;
    require_room(job->folder(), static_cast<std::uintmax_t>(std::max<std::int64_t>(missing, 0)), "the rest of its job");
  }
  pipeline::require_same_poses(record, plan);
  if (options.when_checked) options.when_checked();
  reporter.note(options.runtime.compute.reason);
  make_video(record.job, plan, std::move(job), {record.preview, options.keep, options.group}, *models, reporter);
}

}  // namespace unianimate::cli
