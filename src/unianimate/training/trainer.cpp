#include "unianimate/training/trainer.h"

#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/media/image_writer.h"
#include "unianimate/training/optimizer.h"
#include "unianimate/training/task_factory.h"
#include "unianimate/training/training_log.h"
#include "unianimate/training/training_state.h"

namespace unianimate::training {

namespace fs = std::filesystem;

namespace {

constexpr const char* kState = "state.safetensors";

/// What has to stay as it was for a training to go on exactly.
std::string settings_of(const TrainConfig& config, const FootageSource& footage) {
  return fmt::format("task: {}\nseed: {}\nbatch_size: {}\nmicrobatches: {}\nprecision: {}\nlora rank: {}\ndata: {}\n",
                     config.task == TaskKind::kUNet ? "unet" : "autoencoder", config.seed, config.batch_size,
                     config.microbatches, dtype_name(config.precision), config.lora.rank, footage.description());
}

class Clock {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

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
  Trainer(const TrainConfig& config, at::Device device, distributed::ProcessGroup& group, Progress& progress)
      : config_(config),
        group_(group),
        progress_(progress),
        device_(device),
        footage_((check_against_models(config), open_footage(config.people, config.videos, group, progress))),
        task_(make_task(config, footage_, device, group, progress)),
        optimizer_(task_->parameters(), config.optimizer) {
    if (config.microbatches % group.size() != 0) {
      throw Error(ErrorKind::kUsage, "microbatches must be a multiple of the number of processes, {}, but is {}",
                  group.size(), config.microbatches);
    }
    resume();
  }

  TrainingReport run() {
    TrainingReport report;
    const bool leads = group_.rank() == 0;
    std::optional<TrainingLog> log;
    if (leads) log.emplace(config_.output, done_.step);
    progress_.begin_phase("train", config_.steps);
    const double seconds_before = done_.seconds;
    const Clock clock;
    Measurements sums;
    std::int64_t summed = 0;
    std::optional<std::int64_t> saved_step;
    while (done_.step < config_.steps && !stop_wanted()) {
      const Measurements values = step();
      ++done_.step;
      ++report.steps_now;
      ++summed;
      done_.seconds = seconds_before + clock.seconds();
      for (const auto& [name, value] : values) sums[name] += value;
      report.last_loss = values.at("loss");
      progress_.step(done_.step);
      if (!leads) continue;
      if (due(config_.log_every)) {
        for (auto& [name, sum] : sums) sum /= static_cast<double>(summed);
        sums["seconds"] = done_.seconds;
        log->add(done_.step, std::exchange(sums, {}));
        summed = 0;
      }
      if (due(config_.validate_every)) validate(*log);
      if (due(config_.sample_every)) {
        draw_samples();
        log->draw();
      }
      if (due(config_.save_every)) {
        save();
        saved_step = done_.step;
      }
    }
    if (leads && saved_step != done_.step) save();
    if (log) log->draw();
    report.steps = done_.step;
    report.seconds = clock.seconds();
    report.best_validation = done_.best_validation;
    report.finished = done_.step == config_.steps;
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

  void resume() {
    done_.settings = settings_of(config_, *footage_);
    const fs::path state = config_.output / kState;
    std::error_code problem;
    if (fs::exists(state, problem)) {
      done_ = load_training_state(state, done_.settings, optimizer_.state());
      optimizer_.follow_masters();
      task_->parameters_changed();
      if (group_.rank() == 0) progress_.note(fmt::format("going on after step {}", done_.step));
    } else if (group_.rank() == 0) {
      make_folder(config_.output / "samples");
    }
    group_.barrier();
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

  void validate(TrainingLog& log) {
    const AveragedModel averaged(optimizer_, *task_);
    const Measurements found = task_->validate();
    log.add(done_.step, found);
    const double score = found.at("validation");
    if (done_.has_best && score >= done_.best_validation) return;
    done_.has_best = true;
    done_.best_validation = score;
    task_->export_model(config_.output / "best");
  }

  void draw_samples() {
    const AveragedModel averaged(optimizer_, *task_);
    write_png(config_.output / "samples" / fmt::format("step-{:06}.png", done_.step), task_->sample_sheet());
  }

  void save() {
    save_training_state(config_.output / kState, done_, optimizer_.state());
    const AveragedModel averaged(optimizer_, *task_);
    task_->export_model(config_.output / "model");
  }

  const TrainConfig& config_;
  distributed::ProcessGroup& group_;
  Progress& progress_;
  at::Device device_;
  std::shared_ptr<const FootageSource> footage_;
  std::unique_ptr<Task> task_;
  Optimizer optimizer_;
  TrainingProgress done_;
};

}  // namespace

TrainingReport train(const TrainConfig& config, const Compute& compute, distributed::ProcessGroup& group,
                     Progress& progress) {
  return Trainer(config, compute.device, group, progress).run();
}

}  // namespace unianimate::training
