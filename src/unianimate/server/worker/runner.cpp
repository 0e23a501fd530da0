#include "unianimate/server/worker/runner.h"

#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/families/families.h"
#include "unianimate/server/store/asset_store.h"
#include "unianimate/server/worker/job_request.h"

namespace unianimate::worker {

namespace fs = std::filesystem;

StudioRunner::StudioRunner(const store::DataFolder& folder, queue::JobQueue& queue, Machine machine)
    : folder_(folder),
      queue_(queue),
      machine_(std::move(machine)),
      studio_(studio::Studio::open(machine_.models, machine_.runtime)) {}

std::string StudioRunner::device() const {
  return fmt::format("{} {}", machine_.runtime.compute.device.str(), dtype_name(machine_.runtime.compute));
}

std::optional<fs::path> StudioRunner::run(const queue::JobRow& job, studio::JobObserver& observer) {
  make_folder(folder_.job(job.id));
  switch (job.kind) {
    case queue::JobKind::kAlign:
      return make_poses(job, observer);
    case queue::JobKind::kAnimate:
      return make_video(job, observer);
  }
  return std::nullopt;
}

std::optional<fs::path> StudioRunner::make_video(const queue::JobRow& job, studio::JobObserver& observer) {
  const fs::path poses = job.poses_job ? folder_.poses(*job.poses_job) : fs::path();
  VideoAsked asked = read_video_request(
      job.request, families::default_request(machine_.models, machine_.runtime.loras),
      [this](const std::string& id) { return asset_file(id); }, poses);
  studio::VideoOrder& order = asked.order;
  const std::string ending = fmt::format(".{}", fields::word(asked.format));
  order.job.output = folder_.video(job.id).concat(ending);
  // The name of an attempt's own file is none of the job's record, which has to be the same for all attempts.
  order.job.written_as = folder_.result(job.id, job.attempt, ending);
  order.job.threads = machine_.threads;
  order.motion_options.detector.dwpose_folder = machine_.detector;
  if (!job.poses_job) order.saved_poses = folder_.poses(job.id);
  order.keeping.folder = folder_.work(job.id);
  // Until the row says that the video is there.
  order.keeping.keep = true;
  studio_.make(order, observer);
  return order.job.written_as;
}

std::optional<fs::path> StudioRunner::make_poses(const queue::JobRow& job, studio::JobObserver& observer) {
  studio::AlignOrder order = read_align_request(job.request, [this](const std::string& id) { return asset_file(id); });
  order.request.output = folder_.poses(job.id);
  order.request.threads = machine_.threads;
  order.request.detector.dwpose_folder = machine_.detector;
  studio::make_poses(order, observer);
  return std::nullopt;
}

fs::path StudioRunner::asset_file(const std::string& id) {
  const auto asset = queue_.find_asset(id);
  if (!asset) throw Error(ErrorKind::kInput, "the file {} of the job is gone", printable(id));
  return store::file_of(folder_, *asset);
}

}  // namespace unianimate::worker
