// What `unianimate train` is asked to do: the YAML file.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "unianimate/fields/words.h"
#include "unianimate/models/unet/config.h"
#include "unianimate/training/autoencoder_task.h"
#include "unianimate/training/distillation_task.h"
#include "unianimate/training/optimizer.h"
#include "unianimate/training/puppet_footage.h"
#include "unianimate/training/small_decoder_task.h"
#include "unianimate/training/unet_task.h"
#include "unianimate/training/video_footage.h"

namespace unianimate::training {

enum class TaskKind { kUNet, kAutoencoder, kSmallDecoder, kDistillation };
constexpr auto words(TaskKind /*of*/) {
  return std::array<fields::Word<TaskKind>, 4>{{{TaskKind::kUNet, "unet"},
                                                {TaskKind::kAutoencoder, "autoencoder"},
                                                {TaskKind::kSmallDecoder, "small_decoder"},
                                                {TaskKind::kDistillation, "distil"}}};
}

/// Whether a UNet is trained, on clips.
constexpr bool trains_unet(TaskKind task) {
  return task == TaskKind::kUNet || task == TaskKind::kDistillation;
}

struct TrainConfig {
  TaskKind task = TaskKind::kUNet;
  std::filesystem::path output;  ///< folder for state, log, plots, samples and models
  std::uint64_t seed = 1;
  std::int64_t steps = 1000;
  std::int64_t batch_size = 1;    ///< clips (of a UNet; else pictures) that go through the model together
  std::int64_t microbatches = 1;  ///< such batches in one step, over all processes: a multiple of their number

  // -- where the models come from
  std::filesystem::path sizes;            ///< model.json of a model to make from nothing; empty to go on from `start`
  std::filesystem::path start;            ///< folder of a model to go on from
  std::filesystem::path autoencoder;      ///< folder with the UNet's autoencoder; empty for that of `start`
  std::optional<bool> normalize_latents;  ///< see AutoencoderTask; none: where the model is new
  std::optional<models::TemporalKind> temporal;  ///< of the UNet of `start`, which may become a Mamba; none: as it is
  std::optional<std::int64_t> d_state;           ///< of a Mamba that it becomes; none: the default
  std::optional<std::int64_t> expand;            ///< likewise
  bool train_clip = false;                       ///< the visual tower, together with the UNet
  at::ScalarType precision = at::kFloat;  ///< of the trained models; below 32 bits the optimizer keeps copies with 32
  bool recompute = false;                 ///< the UNet's blocks keep less for the gradients and run a second time
  LoraOptions lora;
  bool allow_nonfinite = false;  ///< go on from weights that are not finite; not a setting of the file

  // -- what it learns from
  PuppetFootageOptions people;
  PuppetFootageOptions kept_aside;                       ///< people to validate with
  std::optional<VideoFootageOptions> videos;             ///< instead of people
  std::optional<VideoFootageOptions> kept_aside_videos;  ///< instead of kept_aside
  bool keep_latents = true;

  OptimizerOptions optimizer;
  AutoencoderLossOptions autoencoder_loss;
  SmallDecoderLossOptions small_decoder_loss;
  UNetLossOptions unet_loss;
  DistillationOptions distillation;

  std::int64_t log_every = 20;        ///< steps
  std::int64_t validate_every = 500;  ///< steps; 0: never
  std::int64_t sample_every = 1000;   ///< steps; 0: never
  std::int64_t save_every = 500;      ///< steps; besides, at the end and when asked to stop
};

/// Throws Error(kUsage) naming file, line and key for an unknown key, a value of the wrong type or out of range, and
/// for settings that contradict each other; Error(kInput) for what is not YAML. Relative paths begin at `root`.
TrainConfig parse_train_config(std::string_view text, const std::string& name, const std::filesystem::path& root);

/// The same from a file; relative paths begin in the current folder.
TrainConfig read_train_config(const std::filesystem::path& path);

}  // namespace unianimate::training
