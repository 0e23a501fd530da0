#include "unianimate/training/train_fields.h"

#include "unianimate/core/error.h"
#include "unianimate/diffusion/consistency.h"
#include "unianimate/diffusion/timesteps.h"
#include "unianimate/pose/align/person_field.h"

template <>
struct unianimate::fields::TextForm<at::ScalarType> {
  static std::string text(at::ScalarType type) { return type == at::kBFloat16 ? "bf16" : "fp32"; }
  static at::ScalarType parse(std::string_view text) {
    if (text != "fp32" && text != "bf16") {
      throw Error(ErrorKind::kUsage, "expected fp32 or bf16, found '{}'", printable(text));
    }
    return text == "bf16" ? at::kBFloat16 : at::kFloat;
  }
};

namespace unianimate::training {

namespace {

using fields::at_least;
using fields::range;

constexpr double kMostSteps = 1e12;
constexpr double kMostInAStep = 65'536;
constexpr double kMostMoments = 4096;
constexpr double kMostPeople = 1 << 24;
constexpr double kLargestSeed = 9e18;
constexpr double kLargestRate = 1e9;
constexpr double kLargestSide = 4096;
constexpr fields::Range kShare = range(0, 1);
constexpr fields::Range kShareBelowOne = fields::at_least_and_below(0, 1);
constexpr fields::Range kOften = range(0, kMostSteps);  ///< every so many steps; 0: never
constexpr fields::Range kSteps = range(1, kMostSteps);

/// "data" or "validation": people, or videos instead of them.
struct Data {
  const char* name;
  PuppetFootageOptions& people;
  std::optional<VideoFootageOptions>& videos;
  bool flips = true;  ///< of videos, where the section does not say
};

void visit(fields::Archive& archive, Data& data) {
  archive("coherent", data.people.coherent, range(1, kMostMoments));
  archive("scattered", data.people.scattered, range(0, kMostMoments));
  std::optional<std::vector<std::filesystem::path>> paths;
  if (data.videos) paths = data.videos->preparation.paths;
  archive("videos", paths);
  if (!paths) {
    archive("first", data.people.first_person, range(0, kLargestSeed));
    archive("count", data.people.people, range(1, kMostPeople));
    return;
  }
  for (const char* name : {"first", "count"}) {
    std::optional<std::uint64_t> seed;
    archive(name, seed);
    if (seed) {
      throw Error(ErrorKind::kUsage, "{}.{} must be left out beside videos: the people come from these", data.name,
                  name);
    }
  }
  if (!data.videos) data.videos.emplace().flips = data.flips;
  data.videos->preparation.paths = *paths;
  archive("cache", data.videos->preparation.cache);
  archive("frame_rate", data.videos->preparation.segments.frame_rate, range(0.1, 1000));
  archive("flips", data.videos->flips);
  archive("person", data.videos->preparation.person);
}

/// "model"
struct Models {
  TrainConfig& config;
};

void visit(fields::Archive& archive, Models& models) {
  TrainConfig& config = models.config;
  archive("sizes", config.sizes);
  archive("start", config.start);
  archive("autoencoder", config.autoencoder);
  archive("temporal", config.temporal);
  archive("d_state", config.d_state, range(1, 256));
  archive("expand", config.expand, range(1, 16));
  archive("train_clip", config.train_clip);
  archive("recompute", config.recompute);
  archive("normalize_latents", config.normalize_latents);
  archive("precision", config.precision);
}

}  // namespace

void visit(fields::Archive& archive, LoraOptions& lora) {
  constexpr double kLargestRank = 4096;
  archive("rank", lora.rank, range(0, kLargestRank));
  archive("alpha", lora.alpha, at_least(0));
}

void visit(fields::Archive& archive, OptimizerOptions& optimizer) {
  archive("kind", optimizer.kind);
  archive("learning_rate", optimizer.learning_rate, fields::Range{0, kLargestRate, true, false, {}});
  archive("beta1", optimizer.beta1, kShareBelowOne);
  archive("beta2", optimizer.beta2, kShareBelowOne);
  archive("epsilon", optimizer.epsilon, fields::Range{0, 1, true, true, {}});
  archive("weight_decay", optimizer.weight_decay, kShareBelowOne);
  archive("clip_norm", optimizer.clip_norm, at_least(0));
  archive("ema_decay", optimizer.ema_decay, kShareBelowOne);
  archive("warmup_steps", optimizer.warmup_steps, kOften);
  archive("decay_from", optimizer.decay_from, kShare);
  archive("last_learning_rate", optimizer.last_learning_rate, kShare);
}

void visit(fields::Archive& archive, CropPhase& phase) {
  archive("until", phase.until);
  archive.optional_size("size", phase.width, phase.height, range(1, kLargestSide));
}

void visit(fields::Archive& archive, AutoencoderLossOptions& loss) {
  archive("l1", loss.l1, at_least(0));
  archive("l2", loss.l2, at_least(0));
  archive("edges", loss.edges, at_least(0));
  archive("figure", loss.figure, at_least(0));
  archive("faces", loss.faces, at_least(0));
  archive("kl", loss.kl, at_least(0));
  archive("anchor", loss.anchor, at_least(0));
  archive("anchor_until", loss.anchor_until);
  archive("latent_noise", loss.latent_noise, at_least(0));
  archive.list("crops", loss.crops);
}

void visit(fields::Archive& archive, SmallDecoderLossOptions& loss) {
  archive("l1", loss.l1, at_least(0));
  archive("l2", loss.l2, at_least(0));
  archive("edges", loss.edges, at_least(0));
  archive("latent_noise", loss.latent_noise, at_least(0));
  archive.list("crops", loss.crops);
}

void visit(fields::Archive& archive, UNetLossOptions& loss) {
  archive("frames", loss.frames, at_least(1));
  archive("figure_weight", loss.figure_weight, at_least(0));
  archive("high_noise_share", loss.high_noise_share, kShare);
  archive("high_noise_from", loss.high_noise_from, range(0, diffusion::kTimesteps - 1));
  archive("coherent_share", loss.coherent_share, kShare);
  archive("reference_share", loss.reference_share, kShare);
  archive("first_frame_share", loss.first_frame_share, kShare);
  archive("empty_share", loss.empty_share, kShare);
  archive("offset_noise", loss.offset_noise, kShare);
}

void visit(fields::Archive& archive, DistillationOptions& distil) {
  constexpr double kMostGuidance = 100;
  archive("method", distil.method);
  archive("steps", distil.steps, range(1, diffusion::kConsistencyGrid));
  archive("guidance", distil.guidance, range(0, kMostGuidance));
  archive("conditions", distil.conditions);
  archive("noise_prior", distil.noise_prior, kShare);
  archive("target_ema", distil.target_ema, kShareBelowOne);
  archive("frames", distil.frames, at_least(1));
  archive("coherent_share", distil.coherent_share, kShare);
  archive("offset_noise", distil.offset_noise, kShare);
}

void visit(fields::Archive& archive, TrainConfig& config) {
  archive("task", config.task);
  archive("output", config.output);
  archive("seed", config.seed);
  archive.size("size", config.people.width, config.people.height, range(1, kLargestSide));
  archive("steps", config.steps, kSteps);
  archive("batch_size", config.batch_size, range(1, kMostInAStep));
  archive("microbatches", config.microbatches, range(1, kMostInAStep));
  archive("keep_latents", config.keep_latents);
  archive("log_every", config.log_every, kSteps);
  archive("validate_every", config.validate_every, kOften);
  archive("sample_every", config.sample_every, kOften);
  archive("save_every", config.save_every, kSteps);
  Models models{config};
  archive.section("model", models);
  archive.section("lora", config.lora);
  Data data{"data", config.people, config.videos, true};
  archive.section("data", data);
  Data validation{"validation", config.kept_aside, config.kept_aside_videos, false};
  archive.section("validation", validation);
  archive.section("optimizer", config.optimizer);
  switch (config.task) {
    case TaskKind::kUNet:
      return archive.section("loss", config.unet_loss);
    case TaskKind::kAutoencoder:
      return archive.section("loss", config.autoencoder_loss);
    case TaskKind::kSmallDecoder:
      return archive.section("loss", config.small_decoder_loss);
    case TaskKind::kDistillation:
      return archive.section("distil", config.distillation);
  }
}

}  // namespace unianimate::training
