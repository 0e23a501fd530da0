#include "unianimate/studio/model_choice.h"

#include <cstdlib>
#include <system_error>

#include "unianimate/core/error.h"
#include "unianimate/diffusion/sampler.h"
#include "unianimate/families/families.h"
#include "unianimate/family/presets.h"

namespace unianimate::studio {

namespace {

/// What the caller or the environment names; empty where neither does.
std::filesystem::path chosen_models(const std::string& given) {
  if (!given.empty()) return given;
  const char* const from_environment = std::getenv("UNIANIMATE_MODELS");
  return from_environment != nullptr ? from_environment : "";
}

bool embedded_model_exists() {
  std::error_code problem;
  const bool described =
      std::filesystem::exists(std::filesystem::path(UNIANIMATE_EMBEDDED_MODEL) / "model.json", problem);
  if (problem == std::errc::permission_denied) {
    throw Error(ErrorKind::kEnvironment,
                "this user may not look into {}, where the embedded model lies; let others read it and enter the "
                "folders above it (chmod a+rX), or give models of your own with --models",
                UNIANIMATE_EMBEDDED_MODEL);
  }
  return described && families::holds_models(UNIANIMATE_EMBEDDED_MODEL);
}

}  // namespace

std::filesystem::path embedded_model() {
  return embedded_model_exists() ? UNIANIMATE_EMBEDDED_MODEL : "";
}

bool names_models(const std::string& given) {
  return !chosen_models(given).empty();
}

std::filesystem::path models_folder(const std::string& given) {
  const std::filesystem::path chosen = chosen_models(given);
  return chosen.empty() ? "checkpoints" : chosen;
}

std::filesystem::path models_to_animate_with(const std::string& given) {
  std::filesystem::path folder = models_folder(given);
  if (!chosen_models(given).empty() || !embedded_model_exists()) return folder;
  return families::holds_models(folder) ? folder : UNIANIMATE_EMBEDDED_MODEL;
}

void check_distilled(const family::Distillation& distillation, const family::AnimateRequest& request,
                     std::string_view between) {
  distillation.require_conditions(request, between);
  const std::vector<std::string> left_out = request.shortcuts.texts();
  const bool has_preset = request.preset != family::Preset::kExact;
  if (!has_preset && left_out.empty()) return;
  throw Error(
      ErrorKind::kUsage,
      "{} is distilled ({}, {} steps), and its few steps go with no preset and no shortcuts, found {}; leave it "
      "out, or the file away",
      printable(distillation.file.string()), distillation.name, distillation.sampling.steps,
      has_preset ? fmt::format("preset {}", fields::word(request.preset)) : left_out.front());
}

void tell_sampling(const family::AnimateRequest& request, const std::filesystem::path& models,
                   const std::vector<family::LoraFile>& loras, Progress& progress) {
  const std::string_view sampler = request.sampling.sampler;
  if (const auto distillation = families::find_distillation(models, loras)) {
    check_distilled(*distillation, request);
    progress.note(distillation->sentence());
  } else if (diffusion::sampler_entry(sampler).kind == diffusion::SamplerKind::kDistilled) {
    progress.note(
        fmt::format("the sampler {} is for distilled models, and nothing in these files says that they are", sampler));
  }
  const std::string too_many = family::steps_note(request, families::default_request(models, loras));
  if (!too_many.empty()) progress.note(too_many);
}

void tell_models(const std::filesystem::path& models, Progress& progress) {
  if (models != UNIANIMATE_EMBEDDED_MODEL) return;
  progress.note(
      "the embedded model is used: small, and trained on procedural people; give --models for the published ones");
}

}  // namespace unianimate::studio
