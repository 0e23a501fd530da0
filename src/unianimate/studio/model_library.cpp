#include "unianimate/studio/model_library.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>

#include "unianimate/core/error.h"
#include "unianimate/families/families.h"
#include "unianimate/studio/model_choice.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

constexpr const char* kLoras = "loras";
constexpr const char* kLoraEnding = ".safetensors";

/// What is in a folder, in the order of the names; empty where that cannot be read.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem); !problem && entry != fs::directory_iterator();
       entry.increment(problem)) {
    entries.push_back(entry->path());
  }
  std::ranges::sort(entries);
  return entries;
}

void add_model(const fs::path& folder, std::string name, std::vector<NamedModel>& models) {
  if (!families::holds_models(folder) || std::ranges::count(models, name, &NamedModel::name) > 0) return;
  models.push_back({std::move(name), std::string(families::family_name(folder)), folder});
}

std::string own_name(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

[[noreturn]] void refuse(std::string_view what, std::string_view name, const std::vector<std::string>& known) {
  throw Error(ErrorKind::kInput, "the server has no {} {}: {}", what, printable(name),
              known.empty() ? "it has none" : printable(fmt::format("it has {}", fmt::join(known, ", "))));
}

}  // namespace

std::vector<NamedModel> find_models(const fs::path& models) {
  const fs::path embedded = embedded_model();
  std::vector<NamedModel> found;
  if (models != embedded) {
    add_model(models, own_name(models), found);
    for (const fs::path& entry : entries_of(models)) add_model(entry, entry.filename().string(), found);
  }
  if (!embedded.empty()) add_model(embedded, "embedded", found);
  return found;
}

std::vector<std::string> find_loras(const fs::path& models) {
  std::vector<std::string> names;
  for (const fs::path& entry : entries_of(models / kLoras)) {
    if (entry.extension() == kLoraEnding) names.push_back(entry.stem().string());
  }
  return names;
}

std::string default_model(const fs::path& models) {
  const std::vector<NamedModel> found = find_models(models);
  const fs::path embedded = embedded_model();
  return found.empty() || (found.front().folder == embedded && models != embedded) ? "" : found.front().name;
}

void require_models(const fs::path& models) {
  if (!default_model(models).empty()) return;
  throw Error(ErrorKind::kInput,
              "{} holds no models, and no folder in it does: give the folder of the checkpoints with --models; "
              "'unianimate models list' shows what is found there",
              printable(models.string()));
}

fs::path model_by_name(const fs::path& models, std::string_view name) {
  const std::vector<NamedModel> found = find_models(models);
  if (name.empty()) return found.empty() || found.front().folder == embedded_model() ? models : found.front().folder;
  const auto model = std::ranges::find(found, name, &NamedModel::name);
  if (model != found.end()) return model->folder;
  std::vector<std::string> names;
  for (const NamedModel& each : found) names.push_back(each.name);
  refuse("model", name, names);
}

fs::path lora_by_name(const fs::path& models, std::string_view name) {
  const std::vector<std::string> names = find_loras(models);
  if (std::ranges::count(names, name) == 0) refuse("LoRA", name, names);
  return models / kLoras / (std::string(name) + kLoraEnding);
}

}  // namespace unianimate::studio
