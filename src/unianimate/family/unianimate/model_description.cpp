#include "unianimate/family/unianimate/model_description.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "unianimate/core/error.h"
#include "unianimate/core/json_text.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/written_mark.h"

namespace unianimate::family {

namespace fs = std::filesystem;

namespace {

using nlohmann::json;

constexpr std::uintmax_t kLargestFile = 1 << 20;
constexpr int kDeepest = 8;
constexpr std::int64_t kLargestSize = 1 << 24;

/// The fields of each section by their names in the file: the one list that reading and comparing share. A visitor has
/// field(name, value) and section(name, visit).
template <typename Visitor>
void visit(Visitor& visitor, models::UNetConfig& config) {
  visitor.field("dim", config.dim);
  visitor.field("head_dim", config.head_dim);
  visitor.field("context_dim", config.context_dim);
  visitor.field("dim_mult", config.dim_mult);
  visitor.field("num_res_blocks", config.num_res_blocks);
  visitor.field("num_heads", config.num_heads);
  visitor.field("num_tokens", config.num_tokens);
  visitor.field("concat_dim", config.concat_dim);
  visitor.field("norm_groups", config.norm_groups);
}

template <typename Visitor>
void visit(Visitor& visitor, models::AutoencoderConfig& config) {
  visitor.field("ch", config.ch);
  visitor.field("ch_mult", config.ch_mult);
  visitor.field("num_res_blocks", config.num_res_blocks);
  visitor.field("z_channels", config.z_channels);
  visitor.field("norm_groups", config.norm_groups);
  visitor.field("scale_factor", config.scale_factor);
}

template <typename Visitor>
void visit(Visitor& visitor, models::ClipConfig::Vision& config) {
  visitor.field("width", config.width);
  visitor.field("layers", config.layers);
  visitor.field("heads", config.heads);
  visitor.field("mlp_ratio", config.mlp_ratio);
  visitor.field("image_size", config.image_size);
  visitor.field("patch_size", config.patch_size);
}

template <typename Visitor>
void visit(Visitor& visitor, models::ClipConfig::Text& config) {
  visitor.field("width", config.width);
  visitor.field("layers", config.layers);
  visitor.field("heads", config.heads);
  visitor.field("context_length", config.context_length);
  visitor.field("vocab_size", config.vocab_size);
}

template <typename Visitor>
void visit(Visitor& visitor, models::ClipConfig& config) {
  visitor.field("embed_dim", config.embed_dim);
  visitor.section("vision", config.vision);
  visitor.section("text", config.text);
}

/// The settings that a model may have its own defaults for.
template <typename Visitor>
void visit(Visitor& visitor, AnimateRequest& defaults) {
  visitor.field("width", defaults.width);
  visitor.field("height", defaults.height);
  visitor.field("frame_interval", defaults.frame_interval);
  visitor.field("steps", defaults.sampling.steps);
  visitor.field("timestep_spacing", defaults.sampling.spacing);
  visitor.field("noise_prior", defaults.noise_prior, 0);
  visitor.field("guidance_scale", defaults.guidance_scale);
  visitor.field("context_size", defaults.context.size);
  visitor.field("context_overlap", defaults.context.overlap, 0);
}

json as_json(diffusion::TimestepSpacing spacing) {
  return diffusion::timestep_spacing_name(spacing);
}
template <typename T>
json as_json(const T& value) {
  return value;
}

/// Puts an object's values into the fields and refuses keys that name none.
class Reader {
 public:
  Reader(const json& object, std::string path) : object_(object), path_(std::move(path)) {
    if (!object.is_object()) throw Error(ErrorKind::kInput, "{} must be an object {{...}}", path_);
  }

  template <typename T>
  void field(const char* name, T& value, std::int64_t lowest = 1) {
    known_.emplace_back(name);
    if (!object_.contains(name)) return;
    const json& given = object_.at(name);
    if constexpr (std::is_same_v<T, diffusion::TimestepSpacing>) {
      if (!given.is_string()) refuse(name, "leading or trailing");
      const auto name_given = given.get<std::string>();
      if (name_given != "leading" && name_given != "trailing") refuse(name, "leading or trailing");
      value = diffusion::parse_timestep_spacing(name_given);
      return;
    } else if constexpr (std::is_same_v<T, double>) {
      if (!given.is_number()) refuse(name, "a number");
    } else if constexpr (std::is_integral_v<T>) {
      if (!given.is_number_integer()) refuse(name, "a whole number");
    } else if (!given.is_array() || !std::ranges::all_of(given, [](const json& x) { return x.is_number_integer(); })) {
      refuse(name, "a list of whole numbers");
    }
    if constexpr (std::is_integral_v<T>) {
      // Numbers above the largest signed one wrap around to below the lowest.
      const auto number = given.get<std::int64_t>();
      if (number < lowest || number > kLargestSize) refuse(name, fmt::format("{} to {}", lowest, kLargestSize));
      value = static_cast<T>(number);
    } else {
      given.get_to(value);
    }
  }

  template <typename Config>
  void section(const char* name, Config& config) {
    known_.emplace_back(name);
    if (!object_.contains(name)) return;
    Reader inner(object_.at(name), fmt::format("{}: {}", path_, name));
    visit(inner, config);
    inner.refuse_unknown();
  }

  void pass_over(std::string_view name) { known_.emplace_back(name); }

  void refuse_unknown() const {
    for (const auto& [key, value] : object_.items()) {
      if (std::ranges::count(known_, key) > 0) continue;
      throw Error(ErrorKind::kUsage, "{} has an unknown key '{}'; known are {}", path_, printable(key),
                  fmt::join(known_, ", "));
    }
  }

 private:
  [[noreturn]] void refuse(const char* name, std::string_view expected) const {
    throw Error(ErrorKind::kInput, "{}.{} must be {}, found {}", path_, name, expected,
                printable(object_.at(name).dump(-1, ' ', true, json::error_handler_t::replace)));
  }

  const json& object_;
  std::string path_;
  std::vector<std::string> known_;
};

/// Compares an object's values with the fields.
class Comparer {
 public:
  Comparer(const json& object, std::string path, const fs::path& checkpoint)
      : object_(object), path_(std::move(path)), checkpoint_(checkpoint) {}

  template <typename T>
  void field(const char* name, const T& actual) {
    if (!object_.contains(name) || object_.at(name) == json(actual)) return;
    throw Error(ErrorKind::kInput, "{}.{} is {}, but the shapes in {} say {}; correct one of them", path_, name,
                object_.at(name).dump(), checkpoint_.string(), json(actual).dump());
  }

  template <typename Config>
  void section(const char* name, Config& config) {
    if (!object_.contains(name)) return;
    Comparer inner(object_.at(name), fmt::format("{}: {}", path_, name), checkpoint_);
    visit(inner, config);
  }

 private:
  const json& object_;
  std::string path_;
  const fs::path& checkpoint_;
};

/// Puts the fields into an object.
class Writer {
 public:
  template <typename T>
  void field(const char* name, const T& value, std::int64_t = 0) {
    object_[name] = as_json(value);
  }
  void text(std::string_view name, std::string_view value) { object_[std::string(name)] = value; }
  template <typename Config>
  void section(const char* name, Config& config) {
    Writer inner;
    visit(inner, config);
    object_[name] = std::move(inner.object_);
  }
  [[nodiscard]] const nlohmann::ordered_json& object() const { return object_; }

 private:
  nlohmann::ordered_json object_;
};

std::string read_file(const fs::path& path) {
  std::error_code problem;
  const std::uintmax_t size = fs::file_size(path, problem);
  if (problem || size > kLargestFile) {
    throw Error(ErrorKind::kInput, "{} cannot be used: {}", path.string(),
                problem ? problem.message() : "it is over 1 MiB, and a model.json is a few lines");
  }
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

void ModelDescription::require_agreement(const ModelConfigs& actual, const ModelFiles& files) const {
  if (!json) return;
  ModelConfigs compared = actual;
  const auto compare = [&](const char* section, auto& config, const fs::path& checkpoint) {
    Comparer comparer(*json, path.string(), checkpoint);
    comparer.section(section, config);
  };
  compare("unet", compared.unet, files.unet);
  compare("autoencoder", compared.autoencoder, files.autoencoder);
  compare("clip", compared.clip, files.clip);
}

ModelDescription read_model_description(const fs::path& path) {
  return path.empty() ? ModelDescription{} : parse_model_description(read_file(path), path);
}

ModelDescription parse_model_description(std::string_view text, const fs::path& path) {
  ModelDescription description{{}, {}, nullptr, path};
  description.json = std::make_shared<const nlohmann::json>(parse_json(text, path.string(), kDeepest));
  Reader reader(*description.json, path.string());
  reader.pass_over(kJsonMarkField);
  reader.section("unet", description.configs.unet);
  reader.section("autoencoder", description.configs.autoencoder);
  reader.section("clip", description.configs.clip);
  reader.section("defaults", description.defaults);
  reader.refuse_unknown();
  try {
    description.defaults.check();
  } catch (const Error& error) {
    throw Error(ErrorKind::kInput, "{}: defaults: {}", printable(path.string()), error.what());
  }
  return description;
}

AnimateRequest default_request(const fs::path& folder) {
  const fs::path file = model_files_to_write(folder).description;
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) ? read_model_description(file).defaults : AnimateRequest();
}

void write_model_description(const fs::path& path, const ModelDescription& description) {
  constexpr int kIndent = 2;
  ModelDescription written = description;
  Writer writer;
  writer.text(kJsonMarkField, kMark);
  writer.section("unet", written.configs.unet);
  writer.section("autoencoder", written.configs.autoencoder);
  writer.section("clip", written.configs.clip);
  writer.section("defaults", written.defaults);
  write_file_atomically(path, writer.object().dump(kIndent) + "\n");
}

}  // namespace unianimate::family
