#include "unianimate/training/train_config.h"

#include <fstream>
#include <iterator>
#include <limits>
#include <memory>

#include "unianimate/core/error.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/fields/yaml_section.h"

namespace unianimate::training {

namespace fs = std::filesystem;

namespace {

using fields::YamlSection;

constexpr std::int64_t kMost = std::int64_t{1} << 40;
constexpr double kLargest = 1e9;
constexpr int kLargestSide = 4096;

/// Reads one section key by key, each into the field it belongs to.
class Reader {
 public:
  Reader(YamlSection& section, const fs::path& root) : section_(section), root_(root) {}

  Reader& number(const char* key, double& value) {
    if (const auto given = section_.number(key, -kLargest, kLargest)) value = *given;
    return *this;
  }
  Reader& integer(const char* key, std::int64_t& value, std::int64_t lowest) {
    if (const auto given = section_.integer(key, lowest, kMost)) value = *given;
    return *this;
  }
  Reader& flag(const char* key, bool& value) {
    const auto given = section_.text(key);
    if (!given) return *this;
    if (*given != "true" && *given != "false") section_.refuse(key, section_.node(key), "true or false");
    value = *given == "true";
    return *this;
  }
  Reader& path(const char* key, fs::path& value) {
    if (const auto given = section_.text(key)) value = root_ / *given;
    return *this;
  }
  Reader& paths(const char* key, std::vector<fs::path>& values) {
    constexpr const char* kExpected = "a list of files or folders";
    const auto given = section_.list(key, kExpected);
    if (!given) return *this;
    for (const YAML::Node& node : *given) {
      const auto text = fields::plain_text(node);
      if (!text) section_.refuse(key, node, kExpected);
      values.push_back(root_ / *text);
    }
    return *this;
  }
  Reader& size(const char* key, int& width, int& height) {
    const auto given = section_.integers(key);
    if (!given) return *this;
    const auto fits = [](std::int64_t side) { return side >= 1 && side <= kLargestSide; };
    if (given->size() != 2 || !fits(given->front()) || !fits(given->back())) {
      section_.refuse(key, section_.node(key), "[width, height] in pixels");
    }
    width = static_cast<int>(given->front());
    height = static_cast<int>(given->back());
    return *this;
  }
  Reader& seed(const char* key, std::uint64_t& value) {
    if (const auto given = section_.integer(key, 0, std::numeric_limits<std::int64_t>::max())) {
      value = static_cast<std::uint64_t>(*given);
    }
    return *this;
  }

 private:
  YamlSection& section_;
  const fs::path& root_;
};

void refuse_unknown(const YamlSection& section) {
  const auto unknown = section.unknown();
  if (unknown.empty()) return;
  throw Error(ErrorKind::kUsage, "{} is no setting of a training; see docs/training.md for those there are",
              unknown.front().where);
}

/// Instead of people, where the section names any. `flips`: where it does not say.
std::optional<VideoFootageOptions> read_videos(YamlSection& section, const fs::path& root, bool flips) {
  VideoFootageOptions videos;
  videos.flips = flips;
  Reader(section, root)
      .paths("videos", videos.preparation.paths)
      .path("cache", videos.preparation.cache)
      .number("frame_rate", videos.preparation.segments.frame_rate)
      .flag("flips", videos.flips);
  if (const auto person = section.text("person")) videos.preparation.person = pose::PersonChoice::parse(*person);
  for (const char* key : {"first", "count"}) {
    if (const YAML::Node given = section.node(key); given.IsDefined()) {
      section.refuse(key, given, "left out beside videos: the people come from these");
    }
  }
  return videos;
}

std::optional<VideoFootageOptions> read_data(YamlSection section, const fs::path& root, bool flips,
                                             PuppetFootageOptions& people) {
  std::optional<VideoFootageOptions> videos;
  Reader reader(section, root);
  reader.integer("coherent", people.coherent, 1).integer("scattered", people.scattered, 0);
  if (section.node("videos").IsDefined()) {
    videos = read_videos(section, root, flips);
  } else {
    reader.seed("first", people.first_person).integer("count", people.people, 1);
  }
  refuse_unknown(section);
  return videos;
}

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

void read_optimizer(YamlSection section, const fs::path& root, OptimizerOptions& optimizer) {
  Reader(section, root)
      .number("learning_rate", optimizer.learning_rate)
      .number("beta1", optimizer.beta1)
      .number("beta2", optimizer.beta2)
      .number("epsilon", optimizer.epsilon)
      .number("weight_decay", optimizer.weight_decay)
      .number("clip_norm", optimizer.clip_norm)
      .number("ema_decay", optimizer.ema_decay)
      .integer("warmup_steps", optimizer.warmup_steps, 0)
      .number("decay_from", optimizer.decay_from)
      .number("last_learning_rate", optimizer.last_learning_rate);
  refuse_unknown(section);
  optimizer.check();
}

void read_precision(YamlSection& model, at::ScalarType& precision) {
  const auto given = model.text("precision");
  if (!given) return;
  if (*given != "fp32" && *given != "bf16") model.refuse("precision", model.node("precision"), "fp32 or bf16");
  precision = *given == "bf16" ? at::kBFloat16 : at::kFloat;
}

void read_lora(YamlSection section, const fs::path& root, LoraOptions& lora) {
  Reader(section, root).integer("rank", lora.rank, 0).number("alpha", lora.alpha);
  refuse_unknown(section);
  lora.check();
}

std::vector<CropPhase> read_crops(YamlSection& section, const std::string& name, const fs::path& root) {
  std::vector<CropPhase> crops;
  const auto given = section.list("crops", "a list of {until, size}");
  if (!given) return crops;
  for (const YAML::Node& node : *given) {
    YamlSection one(node, "loss.crops.", std::make_shared<fields::YamlSource>(fields::YamlSource{name, {}}));
    CropPhase& phase = crops.emplace_back();
    Reader(one, root).number("until", phase.until).size("size", phase.width, phase.height);
    refuse_unknown(one);
  }
  return crops;
}

void read_autoencoder_loss(YamlSection section, const std::string& name, const fs::path& root,
                           AutoencoderLossOptions& loss) {
  Reader(section, root)
      .number("l1", loss.l1)
      .number("l2", loss.l2)
      .number("edges", loss.edges)
      .number("figure", loss.figure)
      .number("faces", loss.faces)
      .number("kl", loss.kl)
      .number("anchor", loss.anchor)
      .number("anchor_until", loss.anchor_until)
      .number("latent_noise", loss.latent_noise);
  loss.crops = read_crops(section, name, root);
  refuse_unknown(section);
  loss.check();
}

void read_unet_loss(YamlSection section, const fs::path& root, UNetLossOptions& loss) {
  Reader(section, root)
      .integer("frames", loss.frames, 1)
      .number("figure_weight", loss.figure_weight)
      .number("high_noise_share", loss.high_noise_share)
      .integer("high_noise_from", loss.high_noise_from, 0)
      .number("coherent_share", loss.coherent_share)
      .number("reference_share", loss.reference_share)
      .number("first_frame_share", loss.first_frame_share)
      .number("empty_share", loss.empty_share)
      .number("offset_noise", loss.offset_noise);
  refuse_unknown(section);
  loss.check();
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
  const bool unet_from_nothing = config.task == TaskKind::kUNet && !config.sizes.empty();
  if (unet_from_nothing && config.autoencoder.empty()) {
    refuse("a UNet made from nothing needs model.autoencoder, the folder of a trained autoencoder");
  }
  if (config.task != TaskKind::kUNet && !config.autoencoder.empty()) {
    refuse("model.autoencoder is for training a UNet; remove it");
  }
  if (config.task != TaskKind::kUNet && (config.train_clip || config.recompute)) {
    refuse("model.train_clip and model.recompute are for training a UNet; remove them");
  }
  if (config.task == TaskKind::kUNet && config.normalize_latents && config.sizes.empty()) {
    refuse("model.normalize_latents is for training an autoencoder; remove it");
  }
  constexpr std::int64_t kMostInAStep = 65'536;
  if (config.batch_size > kMostInAStep || config.microbatches > kMostInAStep) {
    refuse("batch_size and microbatches must be at most 65536");
  }
  if (!config.videos && !config.kept_aside_videos && overlap(config.people, config.kept_aside)) {
    refuse("data and validation have people in common; give other seeds to one of them");
  }
  if (!config.videos && overlap(config.people, kForMeasuring)) {
    refuse("data holds people from 900000 to 909999, which are kept for 'unianimate evaluate model'; give other seeds");
  }
  if (config.lora.rank > 0 && (config.task != TaskKind::kUNet || config.start.empty())) {
    refuse("lora is for a UNet that goes on from model.start");
  }
  if (config.task == TaskKind::kUNet) {
    const std::int64_t frames = config.unet_loss.frames;
    if (config.people.coherent < frames || config.kept_aside.coherent < frames) {
      refuse("data.coherent and validation.coherent must be at least loss.frames");
    }
  }
}

}  // namespace

TrainConfig parse_train_config(std::string_view text, const std::string& name, const fs::path& root) {
  YamlSection document(fields::parse_yaml(text, name), "",
                       std::make_shared<fields::YamlSource>(fields::YamlSource{name, {}}));
  TrainConfig config;
  // 1. what kind of training
  if (const auto task = document.text("task")) {
    if (*task != "unet" && *task != "autoencoder") {
      document.refuse("task", document.node("task"), "unet or autoencoder");
    }
    config.task = *task == "unet" ? TaskKind::kUNet : TaskKind::kAutoencoder;
  }
  if (config.task == TaskKind::kAutoencoder) {
    config.people = {.people = std::int64_t{1} << 20, .coherent = 1, .scattered = 0};
  }
  config.kept_aside = {
      .first_person = 910'000, .people = 16, .coherent = config.people.coherent, .scattered = config.people.scattered};

  // 2. its settings
  int width = config.people.width;
  int height = config.people.height;
  Reader(document, root)
      .path("output", config.output)
      .seed("seed", config.seed)
      .size("size", width, height)
      .integer("steps", config.steps, 1)
      .integer("batch_size", config.batch_size, 1)
      .integer("microbatches", config.microbatches, 1)
      .flag("keep_latents", config.keep_latents)
      .integer("log_every", config.log_every, 1)
      .integer("validate_every", config.validate_every, 0)
      .integer("sample_every", config.sample_every, 0)
      .integer("save_every", config.save_every, 1);
  YamlSection model = document.section("model");
  Reader(model, root)
      .path("sizes", config.sizes)
      .path("start", config.start)
      .path("autoencoder", config.autoencoder)
      .flag("train_clip", config.train_clip)
      .flag("recompute", config.recompute);
  config.normalize_latents = !config.sizes.empty();
  Reader(model, root).flag("normalize_latents", config.normalize_latents);
  read_precision(model, config.precision);
  refuse_unknown(model);
  read_lora(document.section("lora"), root, config.lora);
  config.videos = read_data(document.section("data"), root, true, config.people);
  config.kept_aside_videos = read_data(document.section("validation"), root, false, config.kept_aside);
  for (PuppetFootageOptions* people : {&config.people, &config.kept_aside}) {
    people->width = width;
    people->height = height;
  }
  if (config.videos) complete(*config.videos, config, config.people);
  if (config.kept_aside_videos) complete(*config.kept_aside_videos, config, config.kept_aside);
  read_optimizer(document.section("optimizer"), root, config.optimizer);
  if (config.task == TaskKind::kUNet) {
    read_unet_loss(document.section("loss"), root, config.unet_loss);
  } else {
    read_autoencoder_loss(document.section("loss"), name, root, config.autoencoder_loss);
  }
  refuse_unknown(document);
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
