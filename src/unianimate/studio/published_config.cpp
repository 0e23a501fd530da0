#include "unianimate/studio/published_config.h"

#include <algorithm>
#include <array>
#include <clocale>
#include <cwchar>
#include <cwctype>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/fields/yaml_section.h"

namespace unianimate::studio {

namespace fs = std::filesystem;
using fields::parse_yaml;
using fields::plain_integer;
using fields::plain_text;
using fields::YamlSection;
using fields::YamlSource;

namespace {

constexpr std::int64_t kMostFrames = 1'000'000;
constexpr std::int64_t kMostRounds = 10'000;
constexpr std::int64_t kMostAnimations = 100'000;
constexpr std::int64_t kNoUpperBound = std::numeric_limits<std::int64_t>::max() / 2;

using Sizes = std::vector<std::int64_t>;

/// How a size in the configuration is found in the models.
struct SizeRule {
  const char* section;
  const char* key;
  const char* size;     ///< of Family::sizes()
  int repetitions = 1;  ///< of it in the configuration
};

constexpr std::array<SizeRule, 16> kSizeRules{{
    {"UNet.", "in_dim", "latent_channels"},
    {"UNet.", "out_dim", "latent_channels"},
    {"UNet.", "dim", "unet.dim"},
    {"UNet.", "y_dim", "unet.context_dim"},
    {"UNet.", "context_dim", "unet.context_dim"},
    {"UNet.", "dim_mult", "unet.dim_mult"},
    {"UNet.", "num_heads", "unet.num_heads"},
    {"UNet.", "head_dim", "unet.head_dim"},
    {"UNet.", "num_res_blocks", "unet.num_res_blocks"},
    {"UNet.", "num_tokens", "unet.num_tokens"},
    {"auto_encoder.ddconfig.", "z_channels", "autoencoder.z_channels"},
    {"auto_encoder.ddconfig.", "ch", "autoencoder.ch"},
    {"auto_encoder.ddconfig.", "ch_mult", "autoencoder.ch_mult"},
    {"auto_encoder.ddconfig.", "num_res_blocks", "autoencoder.num_res_blocks"},
    {"auto_encoder.", "embed_dim", "autoencoder.z_channels"},
    {"", "vit_resolution", "clip.vision.image_size", 2},
}};

std::string size_text(const Sizes& sizes) {
  return sizes.size() == 1 ? std::to_string(sizes.front()) : fmt::format("[{}]", fmt::join(sizes, ", "));
}

/// Puts "a.b.c=value" into the document.
void apply_override(const YAML::Node& root, std::string_view text, YamlSource& source) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw Error(ErrorKind::kUsage, "--set expects key=value, for example --set ddim_timesteps=25; found '{}'",
                printable(text));
  }
  const std::string path(text.substr(0, equals));
  const YAML::Node value = parse_yaml(text.substr(equals + 1), "--set " + path);
  YAML::Node at = root;
  std::string_view rest = path;
  for (std::size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    YAML::Node next = at[std::string(rest.substr(0, dot))];
    if (!next.IsDefined() || next.IsNull()) next = YAML::Node(YAML::NodeType::Map);
    if (!next.IsMap()) {
      throw Error(ErrorKind::kUsage, "--set {}: {} is no map of keys in this configuration", printable(path),
                  printable(path.substr(0, path.size() - rest.size() + dot)));
    }
    at.reset(next);
    rest.remove_prefix(dot + 1);
  }
  at[std::string(rest)] = value;
  source.overridden.insert(path);
}

class ConfigReader {
 public:
  ConfigReader(const YAML::Node& root, const std::shared_ptr<const YamlSource>& source, fs::path folder)
      : source_(source), folder_(std::move(folder)), top_(root, "", source) {}

  PublishedConfig read() {
    config_.base.comparison = true;
    config_.base.pose_order = family::PoseOrder::kPublished;
    read_files();
    read_request();
    read_items();
    read_condition_sets();
    read_diffusion();
    read_context();
    read_fixed_settings();
    refuse_or_report_unknown();
    return std::move(config_);
  }

 private:
  [[nodiscard]] fs::path resolve(const std::string& path) const { return (folder_ / path).lexically_normal(); }

  void read_path(YamlSection& section, const std::string& key, fs::path& into) const {
    if (const auto path = section.text(key)) into = resolve(*path);
  }

  void read_sizes(YamlSection& section, std::string_view path) {
    for (const SizeRule& rule : kSizeRules) {
      if (rule.section != path) continue;
      const auto values = section.integers(rule.key);
      if (!values) continue;
      const std::string where = section.where(rule.key, section.node(rule.key));
      config_.expected_sizes.push_back({std::string(path) + rule.key, where, *values});
    }
  }

  void finish(const YamlSection& section) {
    for (YamlSection::UnknownKey& key : section.unknown()) unknown_.push_back(std::move(key));
    for (const std::string& path : section.without_effect()) {
      config_.warnings.push_back(fmt::format("--set {} has no effect in this program", printable(path)));
    }
  }

  void read_files() {
    read_path(top_, "test_model", config_.files.unet);

    YamlSection embedder = top_.section("embedder");
    read_path(embedder, "pretrained", config_.files.clip);
    embedder.require("type", "FrozenOpenCLIPTextVisualEmbedder");
    embedder.require("layer", "penultimate");
    finish(embedder);

    YamlSection autoencoder = top_.section("auto_encoder");
    read_path(autoencoder, "pretrained", config_.files.autoencoder);
    autoencoder.require("type", "AutoencoderKL");
    read_sizes(autoencoder, "auto_encoder.");
    YamlSection sizes = autoencoder.section("ddconfig");
    sizes.require("double_z", true);
    sizes.require("in_channels", 3);
    sizes.require("out_ch", 3);
    if (const auto scales = sizes.list("attn_resolutions", "a list"); scales && !scales->empty()) {
      sizes.refuse("attn_resolutions", sizes.node("attn_resolutions"), "an empty list");
    }
    sizes.accept({"resolution", "dropout", "video_kernel_size"});
    read_sizes(sizes, "auto_encoder.ddconfig.");
    finish(sizes);
    finish(autoencoder);

    YamlSection unet = top_.section("UNet");
    unet.require("type", "UNetSD_UniAnimate");
    unet.require("temporal_attention", true);
    unet.require("temporal_attn_times", 1);
    unet.require("use_fps_condition", false);
    unet.require("use_sim_mask", false);
    unet.accept({"config", "dropout", "use_checkpoint"});
    read_sizes(unet, "UNet.");
    finish(unet);
  }

  void read_request() {
    family::AnimateRequest& base = config_.base;
    if (const auto size = top_.integers("resolution")) {
      const YAML::Node value = top_.node("resolution");
      const auto fits = [](std::int64_t side) { return side >= 1 && side <= std::numeric_limits<int>::max(); };
      if (size->size() != 2 || !std::ranges::all_of(*size, fits)) {
        top_.refuse("resolution", value, "[width, height] in pixels");
      }
      base.width = static_cast<int>((*size)[0]);
      base.height = static_cast<int>((*size)[1]);
    }
    if (const YAML::Node frames = top_.node("max_frames"); frames.IsDefined()) {
      const auto number = plain_integer(frames);
      if (plain_text(frames) == "None") {
        base.frames.reset();
      } else if (number && *number >= 1 && *number <= kMostFrames) {
        base.frames = number;
      } else {
        top_.refuse("max_frames", frames, fmt::format("a whole number from 1 to {} or \"None\"", kMostFrames));
      }
    }
    config_.rounds = top_.integer("round", 1, kMostRounds).value_or(1);
    base.sampling.steps = top_.integer("ddim_timesteps", 1, diffusion::kTimesteps).value_or(base.sampling.steps);
    base.seed = static_cast<std::uint64_t>(
        top_.integer("seed", 0, kNoUpperBound).value_or(static_cast<std::int64_t>(base.seed)));
    base.guidance_scale = top_.number("guide_scale", 0, 100).value_or(base.guidance_scale);
    const std::int64_t decoded_at_once = top_.integer("decoder_bs", 1, kMostFrames).value_or(1);
    base.decode_batch = std::min(decoded_at_once, family::kLargestDecodeBatch);
    if (decoded_at_once > base.decode_batch) {
      config_.warnings.push_back(fmt::format("{} is {}, of which {} are decoded at once",
                                             top_.where("decoder_bs", top_.node("decoder_bs")), decoded_at_once,
                                             base.decode_batch));
    }
    config_.frames_per_second = top_.number("save_fps", 0.01, 1000).value_or(config_.frames_per_second);
  }

  void read_items() {
    static constexpr std::string_view kExpected = "a list of [frame interval, picture, folder of poses]";
    const auto rows = top_.list("test_list_path", kExpected);
    if (!rows) return;
    for (const YAML::Node& row : *rows) {
      if (!row.IsSequence() || row.size() != 3) top_.refuse("test_list_path", row, kExpected);
      const auto interval = plain_integer(row[0]);
      if (!interval || *interval < 1) top_.refuse("test_list_path", row[0], "a frame interval of at least 1");
      const auto reference = plain_text(row[1]);
      const auto poses = plain_text(row[2]);
      if (!reference || reference->empty()) top_.refuse("test_list_path", row[1], "the path of a picture");
      if (!poses || poses->empty()) top_.refuse("test_list_path", row[2], "the path of a folder of poses");
      config_.items.push_back({*interval, resolve(*reference), resolve(*poses)});
    }
  }

  void read_condition_sets() {
    static constexpr std::string_view kExpected = "a list of lists of image, local_image, randomref, dwpose";
    const auto rows = top_.list("partial_keys", kExpected);
    if (!rows || rows->empty()) {
      config_.condition_sets = {family::ConditionSet()};
      return;
    }
    for (const YAML::Node& row : *rows) {
      std::string names;
      if (!row.IsSequence() || row.size() == 0 || row.size() > 4) top_.refuse("partial_keys", row, kExpected);
      for (const YAML::Node& name : row) {
        const auto text = plain_text(name);
        if (!text || text->find(',') != std::string::npos) top_.refuse("partial_keys", name, kExpected);
        names += (names.empty() ? "" : ",") + *text;
      }
      try {
        config_.condition_sets.push_back(family::ConditionSet::parse(names));
      } catch (const Error& error) {
        throw Error(ErrorKind::kUsage, "{}: {}", top_.where("partial_keys", row), error.what());
      }
    }
  }

  void read_diffusion() {
    YamlSection diffusion = top_.section("Diffusion");
    diffusion.require("schedule", "linear_sd");
    diffusion.require("mean_type", "v");
    diffusion.require("rescale_timesteps", false);
    diffusion.require("noise_strength", 0.1);
    diffusion.accept({"loss_type", "var_type"});
    YamlSection schedule = diffusion.section("schedule_param");
    schedule.require("num_timesteps", static_cast<int>(diffusion::kTimesteps));
    schedule.require("init_beta", 0.00085);
    schedule.require("last_beta", 0.012);
    schedule.require("zero_terminal_snr", true);
    finish(schedule);

    is_long_ = read_program(diffusion);
    config_.base.noise_prior_order = is_long_ ? diffusion::NoisePriorOrder::kLong : diffusion::NoisePriorOrder::kShort;
    config_.base.noise_prior =
        top_.integer("noise_prior_value", 0, diffusion::kTimesteps - 1).value_or(is_long_ ? 939 : 949);
    finish(diffusion);
  }

  /// Which of the two published programs the file is for: true for long videos.
  bool read_program(YamlSection& diffusion) {
    const auto choose = [](YamlSection& section, const char* key, const char* for_short, const char* for_long) {
      const auto text = section.text(key);
      if (text && *text != for_short && *text != for_long) {
        section.refuse(key, section.node(key), fmt::format("{} or {}", for_short, for_long));
      }
      return text ? std::optional(*text == for_long) : std::nullopt;
    };
    const auto by_task =
        choose(top_, "TASK_TYPE", "inference_unianimate_entrance", "inference_unianimate_long_entrance");
    const auto by_diffusion = choose(diffusion, "type", "DiffusionDDIM", "DiffusionDDIMLong");
    if (by_task && by_diffusion && *by_task != *by_diffusion) {
      throw Error(ErrorKind::kUsage,
                  "{} is for {} videos, but {} for {} ones; take both from one of the published configurations",
                  top_.where("TASK_TYPE", top_.node("TASK_TYPE")), *by_task ? "long" : "short",
                  diffusion.where("type", diffusion.node("type")), *by_diffusion ? "long" : "short");
    }
    return by_task.value_or(by_diffusion.value_or(false));
  }

  void read_context() {
    diffusion::ContextWindowOptions& context = config_.base.context;
    const auto size = top_.integer("context_size", 1, kMostFrames);
    const auto overlap = top_.integer("context_overlap", 0, kMostFrames);
    top_.require("context_stride", 1);
    context.schedule = diffusion::ContextSchedule::kPublished;
    context.batch_size = top_.integer("context_batch_size", 1, kMostFrames).value_or(1);
    if (size || is_long_) {
      context.size = size.value_or(context.size);
      context.overlap = overlap.value_or(std::min(context.overlap, context.size - 1));
      if (context.overlap >= context.size) {
        top_.refuse("context_overlap", top_.node("context_overlap"),
                    fmt::format("smaller than context_size {}", context.size));
      }
    } else {
      context.size = config_.base.frames.value_or(kMostFrames);
      context.overlap = 0;
      if (overlap) {
        config_.warnings.push_back(top_.where("context_overlap", top_.node("context_overlap")) +
                                   " has no effect without context_size, as all frames are in one window");
      }
    }
  }

  void read_fixed_settings() {
    top_.require("scale", 8);
    top_.require("batch_size", 1);
    top_.require("latent_random_ref", true);
    top_.require("use_fps_condition", false);
    top_.require("use_DiffusionDPM", false);
    top_.accept({"use_fp16", "chunk_size", "CPU_CLIP_VAE", "video_compositions"});
    read_sizes(top_, "");
    finish(top_);
  }

  void refuse_or_report_unknown() {
    for (const YamlSection::UnknownKey& key : unknown_) {
      for (const std::string& overridden : source_->overridden) {
        if (overridden == key.path || overridden.starts_with(key.path + '.')) {
          throw Error(ErrorKind::kUsage, "--set {}: the configuration has no such key; check its spelling",
                      printable(overridden));
        }
      }
      config_.warnings.push_back(key.where + " is not a key this program knows; it has no effect");
    }
  }

  std::shared_ptr<const YamlSource> source_;
  fs::path folder_;
  YamlSection top_;
  PublishedConfig config_;
  std::vector<YamlSection::UnknownKey> unknown_;
  bool is_long_ = false;
};

/// Keeps what Python's \w and \s match.
std::string words_of(const std::string& text) {
  const std::unique_ptr<std::remove_pointer_t<locale_t>, decltype(&::freelocale)> utf8(
      ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr), ::freelocale);
  const locale_t before = ::uselocale(utf8.get());
  std::string words;
  std::mbstate_t state{};
  for (std::size_t at = 0; at < text.size();) {
    wchar_t character = 0;
    const std::size_t length = std::mbrtowc(&character, text.data() + at, text.size() - at, &state);
    if (length == 0 || length > text.size()) {  // not UTF-8
      state = {};
      ++at;
      continue;
    }
    const auto wide = static_cast<wint_t>(static_cast<char32_t>(character));
    if (std::iswalnum(wide) != 0 || std::iswspace(wide) != 0 || character == L'_') words.append(text, at, length);
    at += length;
  }
  ::uselocale(before);
  return words;
}

std::string published_file_name(std::size_t index, const family::AnimateRequest& request) {
  const std::string picture = request.reference.filename().string();
  return fmt::format("rank_01_00_{:02}_seed_{}_{}_{}_{}x{}.mp4", index, request.seed, request.conditions.names("_"),
                     words_of(picture.substr(0, picture.find('.'))), request.height, request.width);
}

}  // namespace

PublishedConfig parse_published_config(std::string_view text, const std::string& name, const ConfigOptions& options) {
  YAML::Node root = parse_yaml(text, name);
  if (!root.IsMap()) {
    throw Error(ErrorKind::kInput, "{} is not a configuration: it must be a YAML map of keys and values, found {}",
                printable(name), fields::describe(root));
  }
  const auto source = std::make_shared<YamlSource>();
  source->name = name;
  for (const std::string& override_text : options.overrides) apply_override(root, override_text, *source);
  PublishedConfig config = ConfigReader(root, source, options.root).read();
  const auto animations = static_cast<std::int64_t>(config.items.size() * config.condition_sets.size()) * config.rounds;
  if (config.items.empty() || animations > kMostAnimations) {
    throw Error(ErrorKind::kUsage,
                "{} asks for {} videos (test_list_path times partial_keys times round), expected 1 to {}",
                printable(name), animations, kMostAnimations);
  }
  return config;
}

PublishedConfig read_published_config(const fs::path& path, const ConfigOptions& options) {
  std::ifstream file(path, std::ios::binary);
  constexpr std::size_t kMoreThanAllowed = (1 << 20) + 1;
  std::string text(kMoreThanAllowed, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(text.size())) && !file.eof()) {
    throw Error(ErrorKind::kInput, "the configuration {} cannot be read; check that the file is there{}",
                printable(path.string()), path_hint(path));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  PublishedConfig config = parse_published_config(text, path.string(), options);
  const fs::path description = config.files.unet.parent_path() / "model.json";
  std::error_code ignored;
  if (!config.files.unet.empty() && fs::exists(description, ignored)) config.files.description = description;
  return config;
}

void check_expected_sizes(const PublishedConfig& config, const std::vector<family::ModelSize>& actual) {
  for (const ExpectedSize& expected : config.expected_sizes) {
    const auto* const rule = std::ranges::find_if(
        kSizeRules, [&](const SizeRule& each) { return std::string(each.section) + each.key == expected.key; });
    const auto size = std::ranges::find(actual, rule->size, &family::ModelSize::name);
    if (size == actual.end()) {
      throw Error(ErrorKind::kInput,
                  "{} is {}, but the models have no such size; choose the checkpoints it was written for",
                  expected.where, size_text(expected.values));
    }
    Sizes found;
    for (int i = 0; i < rule->repetitions; ++i) found.insert(found.end(), size->values.begin(), size->values.end());
    if (found == expected.values) continue;
    throw Error(ErrorKind::kInput,
                "{} is {}, but the models' files say {}; correct the configuration or choose the "
                "checkpoints it was written for",
                expected.where, size_text(expected.values), size_text(found));
  }
}

std::vector<ConfiguredAnimation> list_animations(const PublishedConfig& config) {
  std::vector<ConfiguredAnimation> animations;
  const std::size_t items = config.items.size();
  for (std::size_t index = 0; index < items * static_cast<std::size_t>(config.rounds); ++index) {
    const ConfiguredItem& item = config.items[index % items];
    for (const family::ConditionSet& conditions : config.condition_sets) {
      family::AnimateRequest request = config.base;
      request.reference = item.reference;
      request.poses = item.poses;
      request.frame_interval = item.frame_interval;
      request.seed += index / items;
      request.conditions = conditions;
      std::string file_name = published_file_name(index, request);
      animations.push_back({std::move(request), std::move(file_name)});
    }
  }
  return animations;
}

}  // namespace unianimate::studio
