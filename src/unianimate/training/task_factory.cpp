#include "unianimate/training/task_factory.h"

#include <utility>

#include "unianimate/checkpoint/weights_hash.h"
#include "unianimate/core/error.h"
#include "unianimate/family/distillation.h"
#include "unianimate/family/unianimate/model_weights.h"
#include "unianimate/training/first_process.h"
#include "unianimate/training/initialisation.h"

namespace unianimate::training {

namespace fs = std::filesystem;

namespace {

/// An autoencoder may stand alone in its folder.
bool is_autoencoder_alone(const TrainConfig& config) {
  std::error_code ignored;
  return !trains_unet(config.task) && !config.start.empty() &&
         !fs::exists(family::model_files_to_write(config.start).unet, ignored) &&
         fs::exists(family::model_files_to_write(config.start).description, ignored);
}

family::ModelDescription read_description(const TrainConfig& config) {
  if (!config.sizes.empty()) return family::read_model_description(config.sizes);
  const family::ModelFiles written = family::model_files_to_write(config.start);
  if (is_autoencoder_alone(config)) return family::read_model_description(written.description);
  return {family::read_model_configs(family::find_model_files(config.start)), family::default_request(config.start),
          nullptr, written.description};
}

/// What the configuration makes of the UNet of `start`.
void choose_temporal(const TrainConfig& config, models::UNetConfig& unet) {
  using models::TemporalKind;
  if (!config.temporal) return;
  if (config.task == TaskKind::kDistillation && *config.temporal != unet.temporal) {
    throw Error(
        ErrorKind::kUsage,
        "model.temporal is {}, but the UNet of model.start {} has {}, and a student begins as its teacher; leave "
        "model.temporal out, or train such a UNet first with task: unet",
        fields::word(*config.temporal), printable(config.start.string()), fields::word(unet.temporal));
  }
  const bool is_mamba = unet.temporal == TemporalKind::kMamba;
  if (is_mamba && *config.temporal == TemporalKind::kTransformer) {
    throw Error(
        ErrorKind::kUsage,
        "model.temporal is transformer, but the UNet of model.start {} has a temporal Mamba, of which no attention "
        "can be made; leave model.temporal out, or start from a UNet with temporal Transformers",
        printable(config.start.string()));
  }
  const std::int64_t d_state = config.d_state.value_or(is_mamba ? unet.d_state : models::UNetConfig().d_state);
  const std::int64_t expand = config.expand.value_or(is_mamba ? unet.expand : models::UNetConfig().expand);
  if (is_mamba && (d_state != unet.d_state || expand != unet.expand)) {
    throw Error(ErrorKind::kUsage,
                "model.d_state and model.expand are {} and {}, but the temporal Mamba of model.start {} has {} and {}; "
                "leave them out",
                d_state, expand, printable(config.start.string()), unet.d_state, unet.expand);
  }
  unet.temporal = *config.temporal;
  unet.d_state = d_state;
  unet.expand = expand;
  if (!is_mamba && unet.temporal == TemporalKind::kMamba && config.lora.rank > 0) {
    throw Error(
        ErrorKind::kUsage,
        "lora cannot be trained with model.temporal: mamba on a UNet with temporal Transformers, since a LoRA file "
        "has no room for the new blocks; train the UNet first, then a LoRA on that");
  }
}

/// Of what is to be distilled.
void require_teacher(const TrainConfig& config) {
  const fs::path unet = family::find_model_files(config.start).unet;
  const checkpoint::Checkpoint file = checkpoint::open_checkpoint(unet);
  if (!family::read_distillation(file, unet)) return;
  throw file.file().refusal(
      "this UNet of model.start is distilled already, and a teacher makes many steps with guidance; start from the "
      "model "
      "that it was distilled from");
}

void require_fits(const TrainConfig& config, const family::ModelConfigs& sizes) {
  const auto unit =
      static_cast<int>(sizes.autoencoder.downscale() * (trains_unet(config.task) ? sizes.unet.downscale() : 1));
  const auto require = [&](const char* what, int side) {
    if (side % unit == 0) return;
    throw Error(ErrorKind::kUsage, "the {} must be a multiple of {} for these models, but is {}", what, unit, side);
  };
  require("width", config.people.width);
  require("height", config.people.height);
  const std::vector<CropPhase>& crops =
      config.task == TaskKind::kSmallDecoder ? config.small_decoder_loss.crops : config.autoencoder_loss.crops;
  for (const CropPhase& phase : crops) {
    require("width of a crop", phase.width);
    require("height of a crop", phase.height);
    if (phase.width > config.people.width || phase.height > config.people.height) {
      throw Error(ErrorKind::kUsage, "a crop of {}x{} does not fit into pictures of {}x{}", phase.width, phase.height,
                  config.people.width, config.people.height);
    }
  }
}

/// So that the models of one training do not begin alike.
enum SeedStream : std::uint64_t { kUNetSeed = 1, kAutoencoderSeed, kVisualSeed, kTextSeed, kSmallDecoderSeed };

std::unique_ptr<models::Autoencoder> load_autoencoder_of_start(const TrainConfig& config,
                                                               const family::ModelDescription& description,
                                                               const at::TensorOptions& options, Progress& progress) {
  const family::ModelFiles files = is_autoencoder_alone(config) ? family::model_files_to_write(config.start)
                                                                : family::find_model_files(config.start);
  return family::load_autoencoder(files.autoencoder, description.configs.autoencoder, {options, config.allow_nonfinite},
                                  progress);
}

std::unique_ptr<Task> make_small_decoder_task(const TrainConfig& config, const family::ModelDescription& description,
                                              const std::shared_ptr<const FootageSource>& footage,
                                              const std::shared_ptr<const FootageSource>& kept_aside, at::Device device,
                                              Progress& progress) {
  const at::TensorOptions exact = at::TensorOptions().device(device).dtype(at::kFloat);
  auto model = std::make_unique<models::SmallDecoder>(models::small_decoder_for(description.configs.autoencoder),
                                                      exact.dtype(config.precision));
  initialise(model->named_parameters(), mixed_seed(config.seed, kSmallDecoderSeed));
  return std::make_unique<SmallDecoderTask>(
      std::move(model), load_autoencoder_of_start(config, description, exact, progress), description, footage,
      kept_aside, config.small_decoder_loss, config.batch_size, config.microbatches, config.seed);
}

std::unique_ptr<Task> make_autoencoder_task(const TrainConfig& config, const family::ModelDescription& description,
                                            const std::shared_ptr<const FootageSource>& footage,
                                            const std::shared_ptr<const FootageSource>& kept_aside, at::Device device,
                                            Progress& progress) {
  const at::TensorOptions options = at::TensorOptions().device(device).dtype(config.precision);
  std::unique_ptr<models::Autoencoder> model;
  if (config.sizes.empty()) {
    model = load_autoencoder_of_start(config, description, options, progress);
  } else {
    model = std::make_unique<models::Autoencoder>(description.configs.autoencoder, options);
    initialise(model->named_parameters(), mixed_seed(config.seed, kAutoencoderSeed));
  }
  return std::make_unique<AutoencoderTask>(std::move(model), description, footage, *kept_aside, config.autoencoder_loss,
                                           config.batch_size, config.microbatches, config.seed,
                                           config.normalize_latents.value_or(!config.sizes.empty()));
}

/// The UNet of a file, of these sizes. A temporal Transformer is made a Mamba where the sizes say so.
std::unique_ptr<models::UNet> load_unet_to_train(const family::ModelFiles& files, const models::UNetConfig& sizes,
                                                 const family::WeightOptions& options, std::uint64_t seed,
                                                 Progress& progress) {
  const models::UNetConfig in_file = family::read_model_configs(files).unet;
  std::unique_ptr<models::UNet> loaded = family::load_unet(files.unet, in_file, options, progress);
  if (in_file.temporal == sizes.temporal) return loaded;
  auto unet = std::make_unique<models::UNet>(sizes, options.tensors);
  put_mamba_in_place_of_attention(unet->named_parameters(), loaded->named_parameters(), seed);
  return unet;
}

/// Where the models of trainings are loaded to.
at::TensorOptions exact_options(at::Device device) {
  return at::TensorOptions().device(device).dtype(at::kFloat);
}

UNetTaskModels make_unet_models(const TrainConfig& config, const family::ModelDescription& description,
                                at::Device device, Progress& progress) {
  const at::TensorOptions exact = exact_options(device);
  const at::TensorOptions options = exact.dtype(config.precision);
  const family::ModelConfigs& sizes = description.configs;
  UNetTaskModels models;
  models.description = description;
  models.lora = config.lora;
  models.train_clip = config.train_clip;
  if (config.sizes.empty()) {
    const family::ModelFiles files = family::find_model_files(config.start);
    const std::uint64_t seed = mixed_seed(config.seed, kUNetSeed);
    models.unet = load_unet_to_train(files, sizes.unet, {options, config.allow_nonfinite}, seed, progress);
    models.clip_visual = family::load_clip_visual(files.clip, sizes.clip, {options, config.allow_nonfinite}, progress);
    models.clip_text = family::load_clip_text(files.clip, sizes.clip, {options, config.allow_nonfinite}, progress);
    if (config.precision != at::kFloat && config.lora.rank == 0) {
      const family::WeightOptions unrounded{exact, config.allow_nonfinite};
      models.exact_unet = load_unet_to_train(files, sizes.unet, unrounded, seed, progress);
      if (config.train_clip) {
        models.exact_visual = family::load_clip_visual(files.clip, sizes.clip, unrounded, progress);
      }
    }
  } else {
    models.unet = std::make_unique<models::UNet>(sizes.unet, options);
    models.clip_visual = std::make_unique<models::ClipVisual>(sizes.clip, options);
    models.clip_text = std::make_unique<models::ClipText>(sizes.clip, options);
    initialise_unet(models.unet->named_parameters(), mixed_seed(config.seed, kUNetSeed));
    initialise_clip(models.clip_visual->named_parameters(), mixed_seed(config.seed, kVisualSeed));
    initialise_clip(models.clip_text->named_parameters(), mixed_seed(config.seed, kTextSeed));
  }
  const fs::path autoencoder = config.autoencoder.empty()
                                   ? family::find_model_files(config.start).autoencoder
                                   : family::model_files_to_write(config.autoencoder).autoencoder;
  models.autoencoder =
      family::load_autoencoder(autoencoder, sizes.autoencoder, {exact, config.allow_nonfinite}, progress);
  models.unet->set_recompute(config.recompute);
  return models;
}

std::unique_ptr<Task> make_unet_task(const TrainConfig& config, const family::ModelDescription& description,
                                     const std::shared_ptr<const FootageSource>& footage,
                                     const std::shared_ptr<const FootageSource>& kept_aside, at::Device device,
                                     Progress& progress) {
  return std::make_unique<UNetTask>(make_unet_models(config, description, device, progress), footage, kept_aside,
                                    config.unet_loss, config.batch_size, config.microbatches, config.seed,
                                    config.keep_latents);
}

std::unique_ptr<Task> make_distillation_task(const TrainConfig& config, const family::ModelDescription& description,
                                             const std::shared_ptr<const FootageSource>& footage,
                                             const std::shared_ptr<const FootageSource>& kept_aside, at::Device device,
                                             Progress& progress) {
  const fs::path start = family::find_model_files(config.start).unet;
  DistillationModels models;
  models.base = checkpoint::weights_hash(checkpoint::open_checkpoint(start));
  models.student = make_unet_models(config, description, device, progress);
  if (config.lora.rank == 0) {
    const family::WeightOptions options{exact_options(device).dtype(config.precision), config.allow_nonfinite};
    for (std::unique_ptr<models::UNet>* network : {&models.teacher, &models.target}) {
      *network = family::load_unet(start, description.configs.unet, options, progress);
    }
  }
  return std::make_unique<DistillationTask>(std::move(models), footage, kept_aside, config.distillation,
                                            config.batch_size, config.microbatches, config.seed, config.keep_latents);
}

}  // namespace

family::ModelDescription describe_models(const TrainConfig& config) {
  family::ModelDescription description = read_description(config);
  choose_temporal(config, description.configs.unet);
  if (config.task == TaskKind::kDistillation) require_teacher(config);
  require_fits(config, description.configs);
  return description;
}

std::shared_ptr<const FootageSource> open_footage(const PuppetFootageOptions& people,
                                                  const std::optional<VideoFootageOptions>& videos,
                                                  const pose::PoseSourceMaker& poses, distributed::ProcessGroup& group,
                                                  Progress& progress) {
  if (!videos) return std::make_shared<PuppetFootage>(people);
  std::shared_ptr<const FootageSource> footage;
  const auto make = [&] { footage = std::make_shared<VideoFootage>(*videos, poses, progress); };
  in_first_process(group, make);
  if (!footage) make();
  return footage;
}

std::unique_ptr<Task> make_task(const TrainConfig& config, const family::ModelDescription& description,
                                const std::shared_ptr<const FootageSource>& footage,
                                const std::shared_ptr<const FootageSource>& kept_aside, at::Device device,
                                Progress& progress) {
  for (const std::string& note : description.configs.notes) progress.note(note);
  switch (config.task) {
    case TaskKind::kUNet:
      return make_unet_task(config, description, footage, kept_aside, device, progress);
    case TaskKind::kAutoencoder:
      return make_autoencoder_task(config, description, footage, kept_aside, device, progress);
    case TaskKind::kDistillation:
      return make_distillation_task(config, description, footage, kept_aside, device, progress);
    case TaskKind::kSmallDecoder:
      break;
  }
  return make_small_decoder_task(config, description, footage, kept_aside, device, progress);
}

}  // namespace unianimate::training
