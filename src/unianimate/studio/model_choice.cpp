#include "unianimate/studio/model_choice.h"

#include <cstdlib>
#include <system_error>

#include "unianimate/core/error.h"
#include "unianimate/families/families.h"

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

std::filesystem::path models_folder(const std::string& given) {
  const std::filesystem::path chosen = chosen_models(given);
  return chosen.empty() ? "checkpoints" : chosen;
}

std::filesystem::path models_to_animate_with(const std::string& given) {
  std::filesystem::path folder = models_folder(given);
  if (!chosen_models(given).empty() || !embedded_model_exists()) return folder;
  return families::holds_models(folder) ? folder : UNIANIMATE_EMBEDDED_MODEL;
}

void tell_models(const std::filesystem::path& models, Progress& progress) {
  if (models != UNIANIMATE_EMBEDDED_MODEL) return;
  progress.note(
      "the embedded model is used: small, and trained on procedural people; give --models for the published ones");
}

}  // namespace unianimate::studio
