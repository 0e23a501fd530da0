#include "unianimate/training/train_config.h"

#include <fstream>
#include <iterator>
#include <memory>

#include "unianimate/core/error.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/fields/yaml_archive.h"
#include "unianimate/training/train_fields.h"

namespace unianimate::training {

namespace fs = std::filesystem;

namespace {

/// What the whole training says about its videos.
void complete(VideoFootageOptions& videos, const TrainConfig& config, const PuppetFootageOptions& people) {
  VideoPreparationOptions& preparation = videos.preparation;
  if (preparation.cache.empty()) preparation.cache = config.output / "data";
  preparation.segments.width = people.width;
  preparation.segments.height = people.height;
  videos.coherent = people.coherent;
  videos.scattered = people.scattered;
  videos.check();
}

void complete(TrainConfig& config) {
  config.kept_aside.width = config.people.width;
  config.kept_aside.height = config.people.height;
  if (config.videos) complete(*config.videos, config, config.people);
  if (config.kept_aside_videos) complete(*config.kept_aside_videos, config, config.kept_aside);
  config.lora.check();
  config.optimizer.check();
  switch (config.task) {
    case TaskKind::kUNet:
      return config.unet_loss.check();
    case TaskKind::kAutoencoder:
      return config.autoencoder_loss.check();
    case TaskKind::kSmallDecoder:
      return config.small_decoder_loss.check();
    case TaskKind::kDistillation:
      return config.distillation.check();
  }
}

void set_usual_data(TrainConfig& config) {
  if (!trains_unet(config.task)) {
    config.people = {.people = std::int64_t{1} << 20, .coherent = 1, .scattered = 0};
  }
  config.kept_aside = {
      .first_person = 910'000, .people = 16, .coherent = config.people.coherent, .scattered = config.people.scattered};
}

void set_usual_optimizer(TrainConfig& config) {
  if (config.task != TaskKind::kDistillation) return;
  config.optimizer = {.learning_rate = config.lora.rank > 0 ? 1e-4 : 3e-5,
                      .beta2 = 0.999,
                      .weight_decay = 0,
                      .ema_decay = 0.999,
                      .warmup_steps = 500};
}

/// No training sees these, so that measurements with them mean something.
constexpr PuppetFootageOptions kForMeasuring{.first_person = 900'000, .people = 10'000};

bool overlap(const PuppetFootageOptions& a, const PuppetFootageOptions& b) {
  const auto end = [](const PuppetFootageOptions& people) {
    return people.first_person + static_cast<std::uint64_t>(people.people);
  };
  return a.first_person < end(b) && b.first_person < end(a);
}

void check(const TrainConfig& config, const std::string& name) {
  const auto refuse = [&](const char* what) { throw Error(ErrorKind::kUsage, "{}: {}", printable(name), what); };
  if (config.output.empty()) refuse("output is missing; give a folder for what the training writes");
  if (config.sizes.empty() == config.start.empty()) {
    refuse(
        "give either model.sizes (a model.json, for a model made from nothing) or model.start (a folder with a model "
        "to go on from)");
  }
  if (config.task == TaskKind::kSmallDecoder && config.start.empty()) {
    refuse("a small decoder is trained against an autoencoder that is there; give its folder as model.start");
  }
  const bool unet_from_nothing = config.task == TaskKind::kUNet && !config.sizes.empty();
  if (unet_from_nothing && config.autoencoder.empty()) {
    refuse("a UNet made from nothing needs model.autoencoder, the folder of a trained autoencoder");
  }
  if (!trains_unet(config.task) && !config.autoencoder.empty()) {
    refuse("model.autoencoder is for training a UNet; remove it");
  }
  if (!trains_unet(config.task) && (config.train_clip || config.recompute)) {
    refuse("model.train_clip and model.recompute are for training a UNet; remove them");
  }
  const bool of_temporal = config.temporal || config.d_state || config.expand;
  if (of_temporal && (!trains_unet(config.task) || config.start.empty())) {
    refuse(
        "model.temporal, model.d_state and model.expand are for a UNet that goes on from model.start; for one made "
        "from "
        "nothing write temporal, d_state and expand into the section unet of model.sizes");
  }
  if ((config.d_state || config.expand) && config.temporal != models::TemporalKind::kMamba) {
    refuse("model.d_state and model.expand are sizes of a Mamba; give model.temporal: mamba with them");
  }
  if (config.task != TaskKind::kAutoencoder && config.normalize_latents.value_or(false) && config.sizes.empty()) {
    refuse("model.normalize_latents is for training an autoencoder; remove it");
  }
  if (!config.videos && !config.kept_aside_videos && overlap(config.people, config.kept_aside)) {
    refuse("data and validation have people in common; give other seeds to one of them");
  }
  if (!config.videos && overlap(config.people, kForMeasuring)) {
    refuse("data holds people from 900000 to 909999, which are kept for 'unianimate evaluate model'; give other seeds");
  }
  if (config.lora.rank > 0 && (!trains_unet(config.task) || config.start.empty())) {
    refuse("lora is for a UNet that goes on from model.start");
  }
  const auto require_moments = [&](std::int64_t frames, const char* what) {
    if (config.people.coherent < frames || config.kept_aside.coherent < frames) refuse(what);
  };
  if (config.task == TaskKind::kUNet) {
    require_moments(config.unet_loss.frames, "data.coherent and validation.coherent must be at least loss.frames");
  }
  if (config.task == TaskKind::kDistillation) {
    require_moments(config.distillation.frames, "data.coherent and validation.coherent must be at least distil.frames");
    if (config.start.empty()) refuse("a model is distilled that is there; give its folder as model.start");
    if (config.train_clip) refuse("model.train_clip is for task: unet; remove it");
    if (config.lora.rank > 0 && config.distillation.target_ema) {
      refuse("distil.target_ema is for whole models: with lora the student itself is the target; remove it");
    }
  }
}

}  // namespace

TrainConfig parse_train_config(std::string_view text, const std::string& name, const fs::path& root) {
  const fields::YamlSection document(fields::parse_yaml(text, name), "",
                                     std::make_shared<fields::YamlSource>(fields::YamlSource{name, {}}));
  TrainConfig config;
  // What kind of training it is says what is usual.
  fields::YamlReader task(document, root, fields::only({"task", "lora", "rank", "alpha"}));
  visit(task, config);
  set_usual_data(config);
  set_usual_optimizer(config);
  fields::read_yaml(document, root, config);
  complete(config);
  check(config, name);
  return config;
}

TrainConfig read_train_config(const fs::path& path) {
  constexpr std::uintmax_t kMostBytes = 1 << 20;
  std::error_code problem;
  std::ifstream file(path, std::ios::binary);
  if (!file || !fs::is_regular_file(path, problem) || fs::file_size(path, problem) > kMostBytes) {
    throw Error(ErrorKind::kInput, "{} cannot be read; give a training configuration, a YAML file of at most 1 MiB{}",
                printable(path.string()), fs::exists(path, problem) ? "" : path_hint(path));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return parse_train_config(text, path.string(), {});
}

}  // namespace unianimate::training
