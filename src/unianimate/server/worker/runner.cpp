#include "unianimate/server/worker/runner.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/error_causes.h"
#include "unianimate/core/output_file.h"
#include "unianimate/families/families.h"
#include "unianimate/server/store/asset_store.h"
#include "unianimate/server/worker/gpus.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/model_library.h"

namespace unianimate::worker {

namespace fs = std::filesystem;

namespace {

/// Tells a plan as one of another device: without times, which are this one's.
class PlanOfOther final : public studio::JobObserver {
 public:
  PlanOfOther(studio::JobObserver& observer, family::RuntimeOptions runtime)
      : observer_(observer), runtime_(std::move(runtime)) {}

  void begin_phase(std::string_view name, std::int64_t total) override { observer_.begin_phase(name, total); }
  void step(std::int64_t done) override { observer_.step(done); }
  void note(const std::string& message) override { observer_.note(message); }
  [[nodiscard]] bool cancelled() const override { return observer_.cancelled(); }
  void planned(const studio::PlannedVideo& video) override {
    observer_.planned({video.job,
                       video.plan,
                       video.files,
                       runtime_,
                       video.keeping,
                       video.job_folder,
                       video.motion,
                       video.processes,
                       {}});
  }

 private:
  studio::JobObserver& observer_;
  family::RuntimeOptions runtime_;
};

}  // namespace

StudioRunner::StudioRunner(const store::DataFolder& folder, queue::JobQueue& queue, Machine machine)
    : folder_(folder), queue_(queue), machine_(std::move(machine)), detector_(std::make_shared<pose::KeptDetector>()) {}

std::string StudioRunner::device() const {
  return fmt::format("{} {}", machine_.runtime.compute.device.str(), dtype_name(machine_.runtime.compute));
}

std::optional<std::int64_t> StudioRunner::usable_bytes() const {
  const family::RuntimeOptions& runtime = machine_.runtime;
  return runtime.memory_budget > 0 ? runtime.memory_budget : unianimate::usable_bytes(runtime.compute.device);
}

std::string StudioRunner::setup() const {
  const family::RuntimeOptions& runtime = machine_.runtime;
  std::string setup =
      fmt::format("models {}", machine_.models.empty() ? "embedded" : fs::absolute(machine_.models).string());
  for (const family::LoraFile& lora : runtime.loras) {
    setup += fmt::format(", LoRA {}:{}", fs::absolute(lora.path).string(), lora.scale);
  }
  if (runtime.memory_budget > 0) setup += fmt::format(", memory budget {}", runtime.memory_budget);
  setup += fmt::format(", latent memory {}", runtime.latent_memory);
  if (runtime.allow_nonfinite) setup += ", weights that are not finite";
  return setup;
}

std::string StudioRunner::gpu() const {
  const at::Device device = machine_.runtime.compute.device;
  return device.is_cuda() ? gpu_name(static_cast<std::size_t>(std::max<int>(device.index(), 0))) : "";
}

std::vector<NamedPlace> StudioRunner::places() const {
  std::vector<NamedPlace> places;
  const auto add = [&](const fs::path& folder, const char* name, const char* prefix) {
    if (!folder.empty()) places.push_back({fs::absolute(folder).lexically_normal(), name, prefix});
  };
  add(studio::embedded_model(), "the embedded model", "embedded/");
  add(machine_.models, "the models folder", "");
  add(machine_.detector, "the models folder", "");
  return places;
}

/// With the name of the models that are meant where none is said, so that these are not opened anew for who says it.
ModelChoice StudioRunner::choice_of(const queue::JobRow& job) const {
  ModelChoice choice = read_row_options(job.request).models;
  if (choice.model.empty()) choice.model = studio::default_model(machine_.models);
  return choice;
}

std::optional<fs::path> StudioRunner::run(const queue::JobRow& job, studio::JobObserver& observer) {
  make_folder(folder_.job(job.id));
  switch (job.kind) {
    case queue::JobKind::kAlign:
      make_poses(job, observer);
      return std::nullopt;
    case queue::JobKind::kAnimate:
      return make_video(job, observer);
    case queue::JobKind::kPlan:
      make_plan(job, observer);
      return std::nullopt;
  }
  return std::nullopt;
}

StudioRunner::Opening StudioRunner::opening_for(const ModelChoice& choice) const {
  Opening opening{studio::model_by_name(machine_.models, choice.model), machine_.runtime};
  for (family::LoraFile& lora : lora_files(choice, machine_.models)) opening.runtime.loras.push_back(std::move(lora));
  return opening;
}

studio::Studio& StudioRunner::studio_for(const ModelChoice& choice) {
  if (studio_ && open_ == choice) return *studio_;
  const Opening opening = opening_for(choice);
  studio_.reset();  // two would not fit where one hardly does
  studio_.emplace(studio::Studio::open(opening.models, opening.runtime));
  open_ = choice;
  return *studio_;
}

/// With all places in the job's folder.
studio::VideoOrder StudioRunner::order_of(const queue::JobRow& job, const Opening& opening) {
  VideoAsked asked = read_video_request(job.request, families::default_request(opening.models, opening.runtime.loras),
                                        [this](const std::string& id) { return asset_file(id); });
  studio::VideoOrder& order = asked.order;
  const std::string ending = fmt::format(".{}", fields::word(asked.format));
  order.job.output = folder_.video(job.id).concat(ending);
  // The name of an attempt's own file is none of the job's record, which has to be the same for all attempts.
  order.job.written_as = folder_.result(job.id, job.attempt, ending);
  order.job.threads = machine_.threads;
  order.motion_options.detector.dwpose_folder = machine_.detector;
  order.motion_options.detector.kept = detector_;
  order.saved_poses = folder_.poses(job.id);
  order.keeping.folder = folder_.work(job.id);
  order.keeping.begins_anew = true;
  // Until the row says that the video is there.
  order.keeping.keep = true;
  take_found_people(job);
  return order;
}

fs::path StudioRunner::make_video(const queue::JobRow& job, studio::JobObserver& observer) {
  const ModelChoice choice = choice_of(job);
  const studio::VideoOrder order = order_of(job, opening_for(choice));
  studio_for(choice).make(order, observer);
  return order.job.written_as;
}

/// For what makes the videos; what is opened for it is closed again.
void StudioRunner::make_plan(const queue::JobRow& job, studio::JobObserver& observer) {
  Opening opening = opening_for(choice_of(job));
  const studio::VideoOrder order = order_of(job, opening);
  const std::vector<queue::WorkerRow> workers = queue_.workers();
  const auto maker = std::ranges::find(workers, queue::lane_of(queue::JobKind::kAnimate), &queue::WorkerRow::lane);
  bool is_this = false;
  family::RuntimeOptions told = opening.runtime;
  if (maker != workers.end()) {
    opening.runtime.memory_budget = maker->usable_bytes.value_or(opening.runtime.memory_budget);
    // What a processor does not compute with takes as much memory as what it does.
    const DTypeChoice format = parse_dtype(maker->dtype);
    opening.runtime.compute =
        choose_compute(DeviceChoice::kCpu, format == DTypeChoice::kFloat16 ? DTypeChoice::kBFloat16 : format);
    told = opening.runtime;
    told.compute.device = at::Device(maker->device);
    is_this = told.compute.device.is_cpu();
  }
  studio::Studio planning = studio::Studio::open(opening.models, opening.runtime);
  PlanOfOther of_other(observer, told);
  planning.plan(order, is_this ? observer : of_other);
}

void StudioRunner::make_poses(const queue::JobRow& job, studio::JobObserver& observer) {
  studio::AlignOrder order = read_align_request(job.request, [this](const std::string& id) { return asset_file(id); });
  order.request.output = folder_.poses(job.id);
  order.request.threads = machine_.threads;
  order.request.detector.dwpose_folder = machine_.detector;
  order.request.detector.kept = detector_;
  studio::make_poses(order, observer);
}

/// Who was found for another job need not be looked for again. Without it the work is the same, and longer.
void StudioRunner::take_found_people(const queue::JobRow& job) const {
  if (!job.poses_job) return;
  const fs::path own = folder_.poses_report(job.id);
  make_folder(own);
  std::error_code problem;
  for (fs::directory_iterator entry(folder_.poses_report(*job.poses_job), problem);
       !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    const fs::path name = entry->path().filename();
    std::error_code ignored;
    if (name.string().starts_with("detected-")) {
      fs::copy_file(entry->path(), own / name, fs::copy_options::overwrite_existing, ignored);
    }
  }
}

fs::path StudioRunner::asset_file(const std::string& id) {
  const auto asset = queue_.find_asset(id);
  if (!asset) throw InputsChanged("the file {} of the job is gone", printable(id));
  fs::path file = store::file_of(folder_, *asset);
  std::error_code gone;
  const std::uintmax_t bytes = fs::file_size(file, gone);
  if (gone || bytes != static_cast<std::uintmax_t>(asset->bytes)) {
    throw InputsChanged("the file {} is {} since it was sent", printable(asset->name.value_or(id)),
                        gone ? "gone" : "another one");
  }
  return file;
}

}  // namespace unianimate::worker
