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

AdapterConfig parse_adapter_config(std::string_view text, std::string_view name) {
  const nlohmann::json json = parse_json(text, name, kDeepest);
  const auto refuse = [&](std::string_view key, std::string_view expected) {
    return Error(ErrorKind::kInput, "{}: '{}' should be {} in the adapter_config.json of a LoRA for this program",
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

std::optional<AdapterConfig> find_adapter_config(const fs::path& lora) {
  const fs::path file = lora.parent_path() / "adapter_config.json";
  std::error_code problem;
  if (lora.stem() != "adapter_model" || !fs::is_regular_file(file, problem)) return std::nullopt;
  if (fs::file_size(file, problem) > kLargestFile || problem) {
    throw Error(ErrorKind::kInput, "{} cannot be used: it is over 1 MiB, and an adapter_config.json is a few lines",
                printable(file.string()));
  }
  std::ifstream content(file);
  return parse_adapter_config(std::string{std::istreambuf_iterator<char>(content), {}}, file.string());
}

}  // namespace unianimate::family
