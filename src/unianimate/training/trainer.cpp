#include "unianimate/training/trainer.h"

#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/media/image_writer.h"
#include "unianimate/pipeline/model_description.h"
#include "unianimate/pipeline/model_weights.h"
#include "unianimate/training/first_process.h"
#include "unianimate/training/initialisation.h"
#include "unianimate/training/training_log.h"
#include "unianimate/training/training_state.h"

namespace unianimate::training {

namespace fs = std::filesystem;

namespace {

constexpr const char* kState = "state.safetensors";

/// An autoencoder may stand alone in its folder.
bool is_autoencoder_alone(const TrainConfig& config) {
  std::error_code ignored;
  return config.task == TaskKind::kAutoencoder && !config.start.empty() &&
         !fs::exists(pipeline::model_files_to_write(config.start).unet, ignored) &&
         fs::exists(pipeline::model_files_to_write(config.start).description, ignored);
}

pipeline::ModelConfigs sizes_of(const TrainConfig& config) {
  if (!config.sizes.empty()) return pipeline::read_model_description(config.sizes).configs;
  if (is_autoencoder_alone(config)) {
    return pipeline::read_model_description(pipeline::model_files_to_write(config.start).description).configs;
  }
  return pipeline::read_model_configs(pipeline::find_model_files(config.start));
}

/// So that the models of one training do not begin alike.
enum SeedStream : std::uint64_t { kUNetSeed = 1, kAutoencoderSeed, kVisualSeed, kTextSeed };

void require_fits(const TrainConfig& config, const pipeline::ModelConfigs& sizes) {
  const auto unit =
      static_cast<int>(sizes.autoencoder.downscale() * (config.task == TaskKind::kUNet ? sizes.unet.downscale() : 1));
  const auto require = [&](const char* what, int side) {
    if (side % unit == 0) return;
    throw Error(ErrorKind::kUsage, "the {} must be a multiple of {} for these models, but is {}", what, unit, side);
  };
  require("width", config.people.width);
  require("height", config.people.height);
  for (const CropPhase& phase : config.autoencoder_loss.crops) {
    require("width of a crop", phase.width);
    require("height of a crop", phase.height);
    if (phase.width > config.people.width || phase.height > config.people.height) {
      throw Error(ErrorKind::kUsage, "a crop of {}x{} does not fit into pictures of {}x{}", phase.width, phase.height,
                  config.people.width, config.people.height);
    }
  }
}

std::unique_ptr<Task> make_autoencoder_task(const TrainConfig& config, const pipeline::ModelConfigs& sizes,
                                            std::shared_ptr<const FootageSource> footage,
                                            std::shared_ptr<const FootageSource> kept_aside, at::Device device,
                                            Progress& progress) {
  const at::TensorOptions options = at::TensorOptions().device(device).dtype(config.precision);
  std::unique_ptr<models::Autoencoder> model;
  if (config.sizes.empty()) {
    const pipeline::ModelFiles files = is_autoencoder_alone(config) ? pipeline::model_files_to_write(config.start)
                                                                    : pipeline::find_model_files(config.start);
    model = pipeline::load_autoencoder(files.autoencoder, sizes.autoencoder, options, progress);
  } else {
    model = std::make_unique<models::Autoencoder>(sizes.autoencoder, options);
    initialise(model->named_parameters(), mixed_seed(config.seed, kAutoencoderSeed));
  }
  return std::make_unique<AutoencoderTask>(std::move(model), sizes, std::move(footage), std::move(kept_aside),
                                           config.autoencoder_loss, config.batch_size, config.microbatches, config.seed,
                                           !config.sizes.empty());
}

std::unique_ptr<Task> make_unet_task(const TrainConfig& config, const pipeline::ModelConfigs& sizes,
                                     std::shared_ptr<const FootageSource> footage,
                                     std::shared_ptr<const FootageSource> kept_aside, at::Device device,
                                     Progress& progress) {
  const at::TensorOptions exact = at::TensorOptions().device(device).dtype(at::kFloat);
  const at::TensorOptions options = exact.dtype(config.precision);
  UNetTaskModels models;
  models.configs = sizes;
  models.lora = config.lora;
  models.train_clip = config.train_clip;
  if (config.sizes.empty()) {
    const pipeline::ModelFiles files = pipeline::find_model_files(config.start);
    models.unet = pipeline::load_unet(files.unet, sizes.unet, options, progress);
    models.autoencoder = pipeline::load_autoencoder(files.autoencoder, sizes.autoencoder, exact, progress);
    models.clip_visual = pipeline::load_clip_visual(files.clip, sizes.clip, options, progress);
    models.clip_text = pipeline::load_clip_text(files.clip, sizes.clip, options, progress);
  } else {
    models.unet = std::make_unique<models::UNet>(sizes.unet, options);
    models.clip_visual = std::make_unique<models::ClipVisual>(sizes.clip, options);
    models.clip_text = std::make_unique<models::ClipText>(sizes.clip, options);
    initialise_unet(models.unet->named_parameters(), mixed_seed(config.seed, kUNetSeed));
    initialise_clip(models.clip_visual->named_parameters(), mixed_seed(config.seed, kVisualSeed));
    initialise_clip(models.clip_text->named_parameters(), mixed_seed(config.seed, kTextSeed));
    models.autoencoder = pipeline::load_autoencoder(pipeline::model_files_to_write(config.autoencoder).autoencoder,
                                                    sizes.autoencoder, exact, progress);
  }
  models.unet->set_recompute(config.recompute);
  return std::make_unique<UNetTask>(std::move(models), std::move(footage), std::move(kept_aside), config.unet_loss,
                                    config.batch_size, config.microbatches, config.seed, config.keep_latents);
}

/// The first process prepares videos; the others find what it made.
std::shared_ptr<const FootageSource> make_footage(const PuppetFootageOptions& people,
                                                  const std::optional<VideoFootageOptions>& videos,
                                                  distributed::ProcessGroup& group, Progress& progress) {
  if (!videos) return std::make_shared<PuppetFootage>(people);
  std::shared_ptr<const FootageSource> footage;
  const auto make = [&] { footage = std::make_shared<VideoFootage>(*videos, progress); };
  in_first_process(group, make);
  if (!footage) make();
  return footage;
}

std::unique_ptr<Task> make_task(const TrainConfig& config, std::shared_ptr<const FootageSource> footage,
                                at::Device device, distributed::ProcessGroup& group, Progress& progress) {
  const pipeline::ModelConfigs sizes = sizes_of(config);
  const auto kept_aside = make_footage(config.kept_aside, config.kept_aside_videos, group, progress);
  const auto make = config.task == TaskKind::kUNet ? make_unet_task : make_autoencoder_task;
  return make(config, sizes, std::move(footage), kept_aside, device, progress);
}

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
        footage_((require_fits(config, sizes_of(config)), make_footage(config.people, config.videos, group, progress))),
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
      if (due(config_.sample_every)) draw_samples();
      if (due(config_.save_every)) save();
    }
    if (leads) save();
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
      optimizer_.state_was_loaded();
      task_->parameters_changed();
      if (group_.rank() == 0) progress_.note(fmt::format("going on after step {}", done_.step));
    } else if (group_.rank() == 0) {
      fs::create_directories(config_.output / "samples", problem);
      if (problem) {
        throw Error(ErrorKind::kEnvironment, "the folder {} cannot be made: {}", printable(config_.output.string()),
                    problem.message());
      }
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
