#include "unianimate/training/trainer.h"

#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/folder_lock.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/training/first_process.h"
#include "unianimate/training/model_export.h"
#include "unianimate/training/optimizer.h"
#include "unianimate/training/task_factory.h"
#include "unianimate/training/training_log.h"
#include "unianimate/training/training_state.h"

namespace unianimate::training {

namespace fs = std::filesystem;

namespace {

constexpr const char* kState = "state.safetensors";

/// What has to stay as it was for a training to go on exactly.
std::string settings_of(const TrainConfig& config, const FootageSource& footage, const FootageSource& kept_aside) {
  std::string settings = fmt::format(
      "task: {}\nseed: {}\nbatch_size: {}\nmicrobatches: {}\nprecision: {}\nlora rank: {}\nlora alpha: {}\n"
      "start: {}\nautoencoder: {}\ndata: {}\nvalidation: {}\n",
      fields::word(config.task), config.seed, config.batch_size, config.microbatches, dtype_name(config.precision),
      config.lora.rank, config.lora.alpha, config.start.string(), config.autoencoder.string(), footage.description(),
      kept_aside.description());
  if (config.task == TaskKind::kDistillation) {
    const DistillationOptions& options = config.distillation;
    settings +=
        fmt::format("distil.method: {}\ndistil.steps: {}\ndistil.guidance: {}\ndistil.conditions: {}\n",
                    fields::word(options.method), options.steps, options.guidance, fields::word(options.conditions));
  }
  settings += fmt::format("optimizer.kind: {}\n", fields::word(config.optimizer.kind));
  return settings;
}

/// Nothing that the training starts from may be replaced by what it writes.
void refuse_inputs(const TrainConfig& config) {
  Inputs inputs;
  inputs.add(config.sizes);
  inputs.add_folder(config.start);
  inputs.add_folder(config.autoencoder);
  for (const auto& videos : {config.videos, config.kept_aside_videos}) {
    if (!videos) continue;
    for (const fs::path& path : videos->preparation.paths) inputs.add_folder(path);
  }
  for (const char* name : {"model", "best", "samples", kState, "log.jsonl", "loss.png"}) {
    inputs.refuse(config.output / name);
  }
}

/// While it lives the task works with the averaged weights.
class AveragedModel {
 public:
  AveragedModel(Optimizer& optimizer, Task& task) : optimizer_(optimizer), task_(task) { exchange(); }
  ~AveragedModel() { exchange(); }
  AveragedModel(const AveragedModel&) = delete;
  AveragedModel& operator=(const AveragedModel&) = delete;

 private:
  void exchange() {
    optimizer_.exchange_averaged();
    task_.parameters_changed();
  }
  Optimizer& optimizer_;
  Task& task_;
};

class Trainer {
 public:
  Trainer(const TrainConfig& config, const family::ModelDescription& description, at::Device device,
          distributed::ProcessGroup& group, const pose::PoseSourceMaker& poses, Progress& progress)
      : config_(config),
        group_(group),
        progress_(progress),
        device_(device),
        footage_(open_footage(config.people, config.videos, poses, group, progress)),
        kept_aside_(open_footage(config.kept_aside, config.kept_aside_videos, poses, group, progress)),
        task_(make_task(config, description, footage_, kept_aside_, device, progress)),
        optimizer_(task_->parameters(), config.optimizer, task_->exact_parameters()) {
    resume();
  }

  TrainingReport run() {
    TrainingReport report;
    const bool leads = group_.rank() == 0;
    if (leads) log_.emplace(config_.output, done_.step, progress_);
    progress_.begin_phase("train", config_.steps);
    const double seconds_before = done_.seconds;
    const auto start = std::chrono::steady_clock::now();
    while (done_.step < config_.steps && !stop_wanted()) {
      const Measurements values = step();
      ++done_.step;
      ++done_.summed_steps;
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      done_.seconds = seconds_before + seconds.count();
      for (const auto& [name, value] : values) done_.sums[name] += value;
      report.last_loss = values.at("loss");
      progress_.step(done_.step);
      if (leads && due(config_.log_every)) log_means();
      if (due(config_.validate_every)) in_first_process(group_, [&] { validate(); });
      if (due(config_.save_every)) {
        in_first_process(group_, [&] { save(); });
        share_state();
      }
      if (due(config_.sample_every)) in_first_process(group_, [&] { draw(); });
    }
    if (leads && saved_step_ != done_.step) save();
    if (leads) draw_curves();
    report.steps = done_.step;
    report.model = model_;
    report.finished = done_.step >= config_.steps;
    return report;
  }

 private:
  [[nodiscard]] bool due(std::int64_t every) const {
    return every > 0 && (done_.step % every == 0 || done_.step == config_.steps);
  }

  /// All processes stop after the same step.
  bool stop_wanted() {
    const at::Tensor wanted = at::full({1}, progress_.cancelled() ? 1.0 : 0.0, at::kFloat);
    group_.sum({wanted});
    return wanted.item<double>() > 0;
  }

  /// Only the first process needs to see the folder.
  void resume() {
    done_.settings = settings_of(config_, *footage_, *kept_aside_);
    const at::Tensor step = at::zeros({1}, at::kLong);
    in_first_process(group_, [&] {
      make_folder(config_.output);
      model_ = own_model_folder("model");
      best_ = own_model_folder("best");
      samples_ = shared_folder(config_.output / "samples");
      tell_place(config_.output / "samples", samples_, progress_);
      make_folder(samples_);
      lock_.emplace(config_.output, "training");
      const fs::path state = config_.output / kState;
      std::error_code ignored;
      if (!fs::exists(state, ignored)) return;
      done_ = load_training_state(state, done_.settings, state_tensors());
      step.fill_(done_.step);
      progress_.note(fmt::format("going on after step {}", done_.step));
    });
    const at::Tensor on_device = step.to(device_);
    group_.broadcast({on_device});
    done_.step = on_device.item<std::int64_t>();
    if (done_.step > 0) share_state();
  }

  /// That of the first process, whose updates those of another kind of processor may round otherwise.
  void share_state() {
    if (group_.size() > 1) {
      std::vector<at::Tensor> state;
      for (const NamedTensor& part : state_tensors()) state.push_back(part.tensor);
      group_.broadcast(state);
    }
    optimizer_.follow_masters();
    task_->parameters_changed();
  }

  [[nodiscard]] NamedTensors state_tensors() const {
    NamedTensors all = optimizer_.state();
    for (NamedTensor& tensor : task_->state()) all.push_back(std::move(tensor));
    return all;
  }

  [[nodiscard]] fs::path own_model_folder(const char* name) const {
    fs::path folder = model_folder(config_.output / name);
    tell_place(config_.output / name, folder, progress_);
    return folder;
  }

  Measurements step() {
    const std::int64_t mine = config_.microbatches / group_.size();
    const auto count = static_cast<double>(config_.microbatches);
    const double share = static_cast<double>(done_.step) / static_cast<double>(config_.steps);
    Measurements sums;
    optimizer_.zero_gradients();
    for (std::int64_t i = 0; i < mine; ++i) {
      const Loss loss = task_->loss(done_.step * config_.microbatches + group_.rank() * mine + i, share);
      loss.total.backward();
      sums["loss"] += loss.total.item<double>() / count;
      for (const auto& [name, value] : loss.parts) sums[name] += value / count;
    }
    task_->collect_gradients();
    sum_over_processes(sums);
    if (!std::isfinite(sums["loss"])) {
      throw Error(ErrorKind::kEnvironment,
                  "the loss is no number any more after step {}; go on from the last saved state with a lower learning "
                  "rate",
                  done_.step);
    }
    const double rate = config_.optimizer.learning_rate_at(done_.step, config_.steps);
    sums["gradient_norm"] = optimizer_.step(rate, count);
    require_progress(sums["gradient_norm"]);
    task_->step_done();
    task_->parameters_changed();
    sums["learning_rate"] = rate;
    return sums;
  }

  void sum_over_processes(Measurements& sums) {
    std::vector<at::Tensor> all = optimizer_.gradients();
    std::vector<float> values;
    for (const auto& [name, value] : sums) values.push_back(static_cast<float>(value));
    all.push_back(at::tensor(values).to(device_));
    group_.sum(all);
    const at::Tensor summed = all.back().cpu();
    std::int64_t i = 0;
    for (auto& [name, value] : sums) value = summed[i++].item<double>();
  }

  /// Such an update is left out; where that goes on, nothing is learnt any more.
  void require_progress(double gradient_norm) {
    constexpr int kMostInARow = 20;
    updates_left_out_ = std::isfinite(gradient_norm) ? 0 : updates_left_out_ + 1;
    if (updates_left_out_ < kMostInARow) return;
    throw Error(ErrorKind::kEnvironment,
                "the gradients of {} steps in a row up to {} are no numbers; go on from the last saved state with a "
                "lower learning rate",
                kMostInARow, done_.step + 1);
  }

  void log_means() {
    Measurements means = std::exchange(done_.sums, {});
    for (auto& [name, sum] : means) sum /= static_cast<double>(done_.summed_steps);
    done_.summed_steps = 0;
    means["seconds"] = done_.seconds;
    log_->add(done_.step, means);
  }

  void validate() {
    const AveragedModel averaged(optimizer_, *task_);
    const Measurements found = task_->validate();
    log_->add(done_.step, found);
    const double score = found.at("validation");
    if (!std::isfinite(score)) {
      throw Error(ErrorKind::kEnvironment,
                  "the validation after step {} is no number; go on from the last saved state with a lower learning "
                  "rate",
                  done_.step);
    }
    if (done_.has_best && score >= done_.best_validation) return;
    done_.has_best = true;
    done_.best_validation = score;
    task_->export_model(best_);
  }

  /// Pictures are no reason to end a training.
  void draw() {
    try {
      const AveragedModel averaged(optimizer_, *task_);
      const Image sheet = task_->sample_sheet(progress_);
      const fs::path wanted = samples_ / fmt::format("step-{:06}.png", done_.step);
      write_png(own_place(wanted, kPictureMark, {}, progress_), sheet);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCancelled) progress_.note(fmt::format("no sample sheet: {}", error.what()));
    }
    draw_curves();
  }

  void draw_curves() {
    try {
      log_->draw();
    } catch (const Error& error) {
      progress_.note(fmt::format("no curves: {}", error.what()));
    }
  }

  void save() {
    save_training_state(config_.output / kState, done_, state_tensors());
    const AveragedModel averaged(optimizer_, *task_);
    task_->export_model(model_);
    saved_step_ = done_.step;
  }

  const TrainConfig& config_;
  distributed::ProcessGroup& group_;
  Progress& progress_;
  at::Device device_;
  std::shared_ptr<const FootageSource> footage_;
  std::shared_ptr<const FootageSource> kept_aside_;
  std::unique_ptr<Task> task_;
  Optimizer optimizer_;
  TrainingProgress done_;
  fs::path model_;  ///< folders of the first process
  fs::path best_;
  fs::path samples_;
  std::optional<FolderLock> lock_;  ///< of the first process, as is the log
  std::optional<TrainingLog> log_;
  std::optional<std::int64_t> saved_step_;
  int updates_left_out_ = 0;
};

}  // namespace

TrainingReport train(const TrainConfig& config, const Compute& compute, distributed::ProcessGroup& group,
                     Progress& progress, const pose::PoseSourceMaker& poses) {
  if (config.microbatches % group.size() != 0) {
    throw Error(ErrorKind::kUsage, "microbatches must be a multiple of the number of processes, {}, but is {}",
                group.size(), config.microbatches);
  }
  refuse_inputs(config);
  return Trainer(config, describe_models(config), compute.device, group, poses, progress).run();
}

}  // namespace unianimate::training
