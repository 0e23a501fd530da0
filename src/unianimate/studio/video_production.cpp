#include "unianimate/studio/video_production.h"

#include <chrono>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/pipeline/animate.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

/// Opens the file when the first frame comes, which may be hours after the work began.
class LateSink : public FrameSink {
 public:
  LateSink(const VideoJob& job, const VideoFormat& format) : job_(job), format_(format) {}

  void write(const Image& frame) override {
    if (!sink_) sink_ = open_video(job_, format_, place());
    sink_->write(frame);
  }
  void finish() override { sink_->finish(); }
  [[nodiscard]] std::string trouble() const override { return sink_ ? sink_->trouble() : ""; }

 private:
  [[nodiscard]] const fs::path& place() const { return job_.written_as.empty() ? job_.output : job_.written_as; }

  const VideoJob& job_;
  VideoFormat format_;
  std::unique_ptr<FrameSink> sink_;
};

/// Opens the previews of a video, each in place of the one before.
pipeline::OpenPreview preview_opener(const fs::path& wanted, double frames_per_second, JobObserver& observer) {
  return [wanted, frames_per_second, &observer, last = fs::path()](int width, int height) mutable {
    const fs::path file = own_place(wanted, kPreviewMark);
    if (std::exchange(last, file) != file) tell_place(wanted, file, observer);
    return open_video_writer(file, {width, height, frames_per_second, 0, VideoEffort::kPreview});
  };
}

/// ": dtype, memory_budget"; empty where what is there cannot be read.
std::string difference_to(const fs::path& folder, const JobRecord& record) {
  try {
    return ": " + differing_fields(record, summarize_job(folder).record);
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

bool is_first(const distributed::ProcessGroup* group) {
  return group == nullptr || group->rank() == 0;
}

int group_size(const distributed::ProcessGroup* group) {
  return group != nullptr ? group->size() : 1;
}

fs::path beside_output(const fs::path& output, std::string_view ending) {
  fs::path path = without_trailing_separator(output);
  return beside(path.replace_extension(), ending);
}

fs::path preview_file(const VideoJob& job, const Inputs& inputs) {
  return own_place(beside_output(job.output, "-preview.mp4"), kPreviewMark, inputs);
}

pipeline::PreviewOptions preview_options(const JobKeeping& keeping) {
  return {keeping.preview_every, keeping.preview_decoded};
}

std::int64_t sink_pixel_bytes(const VideoJob& job) {
  return job.interpolate > 1 ? kInterpolationPixelBytes : 0;
}

VideoFormat video_format(const VideoJob& job, const pipeline::AnimatePlan& plan) {
  return {plan.output_width, plan.output_height, job.shown_per_second(), job.threads};
}

fs::path wanted_job_folder(const VideoJob& job, const JobKeeping& keeping) {
  if (keeping.save_every == 0) return {};
  return keeping.folder.empty() ? beside_output(job.output, "-job") : keeping.folder;
}

std::int64_t shown_frames(const VideoJob& job, const pipeline::AnimatePlan& plan) {
  return plan.frames() * job.interpolate;
}

void check_video(const VideoJob& job, const pipeline::AnimatePlan& plan, bool writes) {
  const VideoFormat format = video_format(job, plan);
  format.check();
  if (job.interpolate > 1 && plan.frames() < 2) {
    throw Error(
        ErrorKind::kUsage,
        "--interpolate {} needs two frames or more to put some between, but this video has one; take more poses "
        "or leave it out",
        job.interpolate);
  }
  if (writes) check_space(job.output, format, shown_frames(job, plan));
}

std::unique_ptr<FrameSink> open_video(const VideoJob& job, const VideoFormat& format, const fs::path& place) {
  std::unique_ptr<FrameSink> sink = open_video_writer(place, format, job.audio);
  if (job.interpolate == 1) return sink;
  return interpolate_motion(std::move(sink), format.width, format.height, job.interpolate);
}

std::unique_ptr<JobFolder> begin_job(const JobRecord& record, const fs::path& wanted, const JobKeeping& keeping,
                                     JobObserver& observer) {
  fs::path folder = wanted;
  if (keeping.folder.empty()) {
    folder = own_folder(wanted, [&](const fs::path& place) { return JobFolder::suits(place, record); });
  }
  if (folder != wanted) {
    observer.note(fmt::format(
        "{} holds another unfinished job ('unianimate job show' tells) or something else, so this one is kept in {}",
        printable(wanted.string()), printable(folder.string())));
  }
  if (keeping.begins_anew && !JobFolder::suits(folder, record)) {
    observer.note(fmt::format("the work is begun from the start, as what is done was made otherwise{}",
                              difference_to(folder, record)));
    delete_job(folder);
  }
  auto begun = JobFolder::create(folder, record);
  if (begun->holds_work()) {
    observer.note(fmt::format("the unfinished job in {} is gone on with", folder.string()));
  }
  return begun;
}

FinishedVideo produce(Production production, family::Family& models, JobObserver& observer) {
  const auto start = std::chrono::steady_clock::now();
  const VideoJob& job = production.job;
  JobFolder* const folder = production.folder.get();
  LateSink sink(job, video_format(job, production.plan));
  FinishedVideo video{job, {}, 0, group_size(production.group)};
  try {
    const pipeline::AnimateOptions options{
        folder, production.preview, preview_opener(production.preview_file, job.frames_per_second, observer),
        production.group, [&](const pipeline::PhasePlace& place) { observer.phase_begins(place); }};
    video.report = pipeline::animate(models, production.plan, sink, observer, options);
    if (!is_first(production.group)) return video;
    if (production.pose_seconds) {
      std::vector<pipeline::Phase>& phases = video.report.phases;
      phases.insert(phases.begin(), {{pipeline::PhaseKind::kTakePoses}, *production.pose_seconds});
    }
    if (!sink.trouble().empty()) observer.note(sink.trouble());
    if (folder != nullptr && !production.keep) folder->remove();
    video.seconds = production.pose_seconds.value_or(0) +
                    std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    observer.finished(video);
    return video;
  } catch (...) {
    if (folder != nullptr && folder->holds_work()) {
      observer.note(fmt::format("what is done is kept: 'unianimate resume {}' goes on", folder->folder().string()));
    } else if (folder != nullptr) {
      folder->remove();
    }
    throw;
  }
}

}  // namespace unianimate::studio
