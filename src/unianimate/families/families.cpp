#include "unianimate/families/families.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "unianimate/core/error.h"
#include "unianimate/family/unianimate/int8_file.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/family/unianimate/model_recognition.h"
#include "unianimate/family/unianimate/unianimate_family.h"

namespace unianimate::families {

namespace fs = std::filesystem;

namespace {

constexpr std::array kFamilies{FamilyEntry{.name = "unianimate",
                                           .list_files = family::list_published_files,
                                           .find_files = family::find_model_files,
                                           .default_request = family::default_request,
                                           .recognises = family::is_unianimate,
                                           .open = family::open_unianimate,
                                           .convert_to_int8 = family::convert_unet_to_int8,
                                           .examine = family::examine_unianimate}};

/// The family for which `holds` is true, else the first.
const FamilyEntry& choose(const auto& holds) {
  const auto* const found = std::ranges::find_if(kFamilies, holds);
  return found != kFamilies.end() ? *found : kFamilies.front();
}

bool has_denoiser_in(const FamilyEntry& entry, const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return false;
  return std::ranges::any_of(entry.list_files(folder),
                             [](const family::PublishedFile& file) { return file.denoises && file.found; });
}

/// Of the only kind of file that has metadata.
std::optional<family::Distillation> distillation_of(const fs::path& file) {
  if (file.extension() != ".safetensors") return std::nullopt;
  std::optional<checkpoint::Checkpoint> opened;
  try {
    opened.emplace(checkpoint::open_checkpoint(file));
  } catch (const Error&) {
    return std::nullopt;
  }
  return family::read_distillation(*opened, file);
}

const FamilyEntry& family_in(const fs::path& folder) {
  return choose([&](const FamilyEntry& entry) { return has_denoiser_in(entry, folder); });
}

}  // namespace

std::span<const FamilyEntry> all() {
  return kFamilies;
}

bool holds_models(const fs::path& folder) {
  return std::ranges::any_of(kFamilies, [&](const FamilyEntry& entry) { return has_denoiser_in(entry, folder); });
}

std::string_view family_name(const fs::path& folder) {
  return family_in(folder).name;
}

std::vector<family::PublishedFile> list_files(const fs::path& folder) {
  std::vector<family::PublishedFile> files;
  for (const FamilyEntry& entry : kFamilies) {
    for (family::PublishedFile& file : entry.list_files(folder)) files.push_back(std::move(file));
  }
  return files;
}

family::ModelFiles find_files(const fs::path& folder) {
  return family_in(folder).find_files(folder);
}

family::AnimateRequest default_request(const fs::path& folder, const std::vector<family::LoraFile>& loras) {
  family::AnimateRequest request = family_in(folder).default_request(folder);
  if (const auto distillation = find_distillation(folder, loras)) distillation->apply(request);
  return request;
}

std::optional<family::Distillation> find_distillation(const fs::path& folder,
                                                      const std::vector<family::LoraFile>& loras) {
  for (auto lora = loras.rbegin(); lora != loras.rend(); ++lora) {
    if (auto found = distillation_of(lora->path)) return found;
  }
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return std::nullopt;
  for (const family::PublishedFile& file : family_in(folder).list_files(folder)) {
    if (file.denoises && file.found) return distillation_of(*file.found);
  }
  return std::nullopt;
}

std::unique_ptr<family::Family> open_family(const family::ModelFiles& files, const family::RuntimeOptions& options) {
  return choose([&](const FamilyEntry& entry) { return entry.recognises(files); }).open(files, options);
}

checkpoint::ConvertReport convert_to_int8(const fs::path& input, const fs::path& output, bool allow_nonfinite,
                                          Progress& progress) {
  const FamilyEntry& family = choose([&](const FamilyEntry& entry) { return entry.recognises({input, {}, {}, {}}); });
  return family.convert_to_int8(input, output, allow_nonfinite, progress);
}

void examine(const checkpoint::Checkpoint& checkpoint, const fs::path& file, family::RecognisedModel& model) {
  for (const FamilyEntry& entry : kFamilies) {
    entry.examine(checkpoint, file, model);
    if (!model.role.empty()) return;
  }
}

}  // namespace unianimate::families
