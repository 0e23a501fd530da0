#include "unianimate/family/adapter_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "unianimate/core/error.h"
#include "unianimate/core/json_text.h"

namespace unianimate::family {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kLargestFile = 1 << 20;
constexpr int kDeepest = 16;

/// Settings of which only this value is known here.
struct Fixed {
  const char* key;
  nlohmann::json value;
};

}  // namespace

double AdapterConfig::scaling() const {
  const auto of = static_cast<double>(rank);
  return alpha / (rank_stabilized ? std::sqrt(of) : of);
}

namespace {

AdapterConfig read_adapter_config(const nlohmann::json& json, std::string_view name) {
  const auto refuse = [&](std::string_view key, std::string_view expected) {
    return Error(ErrorKind::kInput, "{}: '{}' should be {} in the configuration of a LoRA for this program",
                 printable(name), key, expected);
  };
  if (!json.is_object()) throw Error(ErrorKind::kInput, "{} should hold an object {{...}}", printable(name));
  const auto value_of = [&](const char* key) { return json.contains(key) ? json.at(key) : nlohmann::json(); };
  const std::array<Fixed, 3> fixed{{{"peft_type", "LORA"}, {"use_dora", false}, {"fan_in_fan_out", false}}};
  for (const auto& [key, value] : fixed) {
    const nlohmann::json given = value_of(key);
    if (!given.is_null() && given != value) throw refuse(key, value.dump());
  }
  for (const char* key : {"rank_pattern", "alpha_pattern", "modules_to_save"}) {
    if (!value_of(key).empty()) throw refuse(key, "empty");
  }
  // Others, such as "pissa", are added to weights that they have changed themselves.
  const nlohmann::json start = value_of("init_lora_weights");
  const std::array<nlohmann::json, 6> starts{nullptr, true, false, "gaussian", "orthogonal", "eva"};
  if (std::ranges::find(starts, start) == starts.end()) {
    throw refuse("init_lora_weights", "true, false, \"gaussian\", \"orthogonal\" or \"eva\"");
  }
  constexpr std::int64_t kLargestRank = 1 << 16;
  const nlohmann::json rank = value_of("r");
  const nlohmann::json alpha = value_of("lora_alpha");
  const nlohmann::json stabilized = value_of("use_rslora");
  AdapterConfig config;
  config.rank = rank.is_number_integer() ? rank.get<std::int64_t>() : 0;
  if (config.rank < 1 || config.rank > kLargestRank) throw refuse("r", "a whole number from 1 to 65536");
  config.alpha = alpha.is_number() ? alpha.get<double>() : std::nan("");
  if (!std::isfinite(config.alpha)) throw refuse("lora_alpha", "a number");
  if (!stabilized.is_null() && !stabilized.is_boolean()) throw refuse("use_rslora", "true or false");
  config.rank_stabilized = stabilized.is_boolean() && stabilized.get<bool>();
  return config;
}

std::optional<AdapterConfig> config_beside(const fs::path& lora) {
  const fs::path file = lora.parent_path() / "adapter_config.json";
  std::error_code problem;
  if (lora.stem() != "adapter_model" || !fs::is_regular_file(file, problem)) return std::nullopt;
  if (fs::file_size(file, problem) > kLargestFile || problem) {
    throw Error(ErrorKind::kInput, "{} cannot be used: it is over 1 MiB, and an adapter_config.json is a few lines",
                printable(file.string()));
  }
  std::ifstream content(file);
  AdapterConfig config = parse_adapter_config(std::string{std::istreambuf_iterator<char>(content), {}}, file.string());
  config.place = "the adapter_config.json beside it";
  return config;
}

std::optional<AdapterConfig> config_within(const std::map<std::string, std::string>& metadata, const fs::path& lora) {
  constexpr const char* kField = "lora_adapter_metadata";
  constexpr std::string_view kOfUnet = "unet.";
  const auto found = metadata.find(kField);
  if (found == metadata.end()) return std::nullopt;
  const std::string name = fmt::format("{} of {}", kField, lora.string());
  nlohmann::json json = parse_json(found->second, name, kDeepest);
  if (json.is_object() && !json.contains("r")) {
    nlohmann::json of_unet;
    for (const auto& [key, value] : json.items()) {
      if (key.starts_with(kOfUnet)) of_unet[key.substr(kOfUnet.size())] = value;
    }
    if (of_unet.is_null()) return std::nullopt;
    json = std::move(of_unet);
  }
  AdapterConfig config = read_adapter_config(json, name);
  config.place = fmt::format("{} in its metadata", kField);
  return config;
}

}  // namespace

AdapterConfig parse_adapter_config(std::string_view text, std::string_view name) {
  return read_adapter_config(parse_json(text, name, kDeepest), name);
}

std::optional<AdapterConfig> find_adapter_config(const std::map<std::string, std::string>& metadata,
                                                 const fs::path& lora) {
  std::optional<AdapterConfig> within = config_within(metadata, lora);
  std::optional<AdapterConfig> beside = config_beside(lora);
  if (within && beside && (within->rank != beside->rank || within->scaling() != beside->scaling())) {
    throw Error(ErrorKind::kInput,
                "{}: {} says rank {} and multiplies by {:.4g}, but {} says rank {} and {:.4g}; remove the wrong one",
                printable(lora.string()), within->place, within->rank, within->scaling(), beside->place, beside->rank,
                beside->scaling());
  }
  return within ? within : beside;
}

}  // namespace unianimate::family
