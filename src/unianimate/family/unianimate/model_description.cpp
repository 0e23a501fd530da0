#include "unianimate/family/unianimate/model_description.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "unianimate/core/error.h"
#include "unianimate/core/json_text.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/written_mark.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/field_texts.h"
#include "unianimate/fields/json_archive.h"
#include "unianimate/models/config_fields.h"

namespace unianimate::family {

namespace fs = std::filesystem;

namespace {

using nlohmann::json;

constexpr std::uintmax_t kLargestFile = 1 << 20;
constexpr int kDeepest = 8;
constexpr const char* kDefaults = "defaults";
constexpr const char* kAutoencoder = "autoencoder";
constexpr const char* kOfDiffusers = "config.json";

void visit_configs(fields::Archive& archive, ModelConfigs& configs) {
  archive.section("unet", configs.unet);
  archive.section(kAutoencoder, configs.autoencoder);
  archive.section("clip", configs.clip);
}

std::string read_file(const fs::path& path) {
  std::error_code problem;
  const std::uintmax_t size = fs::file_size(path, problem);
  if (problem || size > kLargestFile) {
    throw Error(ErrorKind::kInput, "{} cannot be used: {}", printable(path.string()),
                problem ? problem.message()
                        : fmt::format("it is over 1 MiB, and a {} is a few lines", path.filename().string()));
  }
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

void ModelDescription::require_agreement(const ModelConfigs& actual, const ModelFiles& files) const {
  if (!json) return;
  const auto compare = [&](const char* section, const auto& config, const fs::path& checkpoint) {
    if (!json->contains(section)) return;
    auto given = config;
    fields::read_json(json->at(section), {path.string(), section}, given, fields::Missing::kLeft);
    for (const fields::Difference& difference : fields::differences(given, config)) {
      throw Error(ErrorKind::kInput, "{}: {}.{} is {}, but the shapes in {} say {}; correct one of them", path.string(),
                  section, difference.path, difference.first, checkpoint.string(), difference.second);
    }
  };
  compare("unet", actual.unet, files.unet);
  compare(kAutoencoder, actual.autoencoder, files.autoencoder);
  compare("clip", actual.clip, files.clip);
}

void ModelDescription::require_scaling_factor(const fs::path& autoencoder) const {
  const std::optional<double> told = scaling_factor_beside(autoencoder);
  const double expected = configs.autoencoder.scale_factor;
  if (!told || *told == expected) return;
  const std::string file = printable((autoencoder.parent_path() / kOfDiffusers).string());
  if (json && json->contains(kAutoencoder) && json->at(kAutoencoder).contains("scale_factor")) {
    throw Error(ErrorKind::kInput,
                "{}: autoencoder.scale_factor is {}, but {} says that scaling_factor is {}; correct one of them",
                printable(path.string()), expected, file, *told);
  }
  throw Error(
      ErrorKind::kInput,
      "{} is another autoencoder than the one on whose latents the published UNet was trained: {} says that "
      "its latents are scaled by {}, and {} is expected; use Stable Diffusion 2.1's, or, for a UNet that was "
      "trained on these latents, write {{\"autoencoder\": {{\"scale_factor\": {}}}}} into the model.json of the "
      "models folder",
      printable(autoencoder.string()), file, *told, expected, *told);
}

std::optional<double> scaling_factor_beside(const fs::path& autoencoder) {
  constexpr const char* kField = "scaling_factor";
  const fs::path file = autoencoder.parent_path() / kOfDiffusers;
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  const nlohmann::json content = parse_json(read_file(file), file.string(), kDeepest);
  if (!content.is_object() || !content.contains(kField) || content.at(kField).is_null()) return std::nullopt;
  const nlohmann::json& value = content.at(kField);
  const double factor = value.is_number() ? value.get<double>() : 0;
  if (factor > 0 && std::isfinite(factor)) return factor;
  throw Error(ErrorKind::kInput, "{}: {} must be a positive number, found {}", printable(file.string()), kField,
              printable(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
}

ModelDescription read_model_description(const fs::path& path) {
  return path.empty() ? ModelDescription{} : parse_model_description(read_file(path), path);
}

ModelDescription parse_model_description(std::string_view text, const fs::path& path) {
  ModelDescription description{{}, {}, nullptr, path};
  description.json = std::make_shared<const nlohmann::json>(parse_json(text, path.string(), kDeepest));
  fields::JsonReader reader(*description.json, {path.string()}, fields::Missing::kLeft);
  reader.pass_over(std::string(kJsonMarkField));
  reader.pass_over(kDefaults);
  visit_configs(reader, description.configs);
  reader.finish();
  if (description.json->contains(kDefaults)) {
    fields::read_json(description.json->at(kDefaults), {path.string(), kDefaults}, description.defaults,
                      fields::Missing::kLeft, fields::fields_of_models());
  }
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
  ModelConfigs configs = description.configs;
  fields::JsonWriter writer;
  visit_configs(writer, configs);
  nlohmann::ordered_json object{{kJsonMarkField, kMark}};
  object.update(writer.object());
  object[kDefaults] = fields::write_json(description.defaults, fields::fields_of_models());
  write_file_atomically(path, object.dump(kIndent) + "\n");
}

}  // namespace unianimate::family
