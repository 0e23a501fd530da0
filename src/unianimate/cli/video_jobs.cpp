#include "unianimate/cli/video_jobs.h"

#include <chrono>
#include <set>

#include "unianimate/media/image_reader.h"
#include "unianimate/media/video_writer.h"
#include "unianimate/pipeline/pose_folder.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

VideoFormat video_format(const VideoJob& job, const pipeline::AnimatePlan& plan) {
  return {plan.output_width, plan.output_height, job.frames_per_second, job.threads};
}

void make_video(const VideoJob& job, const pipeline::AnimatePlan& plan, pipeline::Animator& animator,
                Reporter& reporter) {
  const auto start = std::chrono::steady_clock::now();
  const auto sink = open_video_writer(job.output, video_format(job, plan), job.audio);
  const pipeline::AnimateReport report = animator.animate(job.request, *sink, reporter);
  if (!sink->trouble().empty()) reporter.note(sink->trouble());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  reporter.finished({job, report, seconds.count()});
}

}  // namespace

void check_jobs(const std::vector<VideoJob>& jobs) {
  std::set<fs::path> references;
  std::set<fs::path> pose_folders;
  for (const VideoJob& job : jobs) {
    job.request.check();
    if (references.insert(job.request.reference).second) read_image(job.request.reference);
    if (pose_folders.insert(job.request.poses).second) pipeline::open_pose_folder(job.request.poses);
  }
}

void check_job_output(const VideoJob& job) {
  check_output(job.output, {job.request.width, job.request.height, job.frames_per_second, job.threads});
}

void run_jobs(std::vector<VideoJob> jobs, const JobOptions& options,
              const std::function<void(const pipeline::ModelConfigs&)>& check_models, Reporter& reporter) {
  const pipeline::ModelConfigs configs = pipeline::read_model_configs(options.files);
  check_models(configs);
  std::vector<pipeline::AnimatePlan> plans;
  for (VideoJob& job : jobs) {
    const auto& plan = plans.emplace_back(pipeline::plan_animation(job.request, configs, options.runtime));
    if (job.poses_per_second) {
      job.frames_per_second = *job.poses_per_second / static_cast<double>(plan.selection.frame_interval);
    }
    const VideoFormat format = video_format(job, plan);
    format.check();
    check_space(job.output, format, plan.frames());
  }
  if (options.dry_run) {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const double seconds = pipeline::estimate_seconds(plans[i], options.runtime.compute);
      reporter.planned({jobs[i], plans[i], options.runtime.compute, seconds});
    }
    return;
  }
  reporter.note(options.runtime.compute.reason);
  auto animator = pipeline::Animator::load(options.files, options.runtime);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    reporter.throw_if_cancelled();
    reporter.begin_video(jobs[i], i, jobs.size());
    make_video(jobs[i], plans[i], animator, reporter);
  }
}

}  // namespace unianimate::cli
