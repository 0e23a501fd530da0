#include "unianimate/family/unianimate/model_description.h"

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

void visit_configs(fields::Archive& archive, ModelConfigs& configs) {
  archive.section("unet", configs.unet);
  archive.section("autoencoder", configs.autoencoder);
  archive.section("clip", configs.clip);
}

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
  compare("autoencoder", actual.autoencoder, files.autoencoder);
  compare("clip", actual.clip, files.clip);
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
