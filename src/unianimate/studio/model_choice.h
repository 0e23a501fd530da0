// Which models are used where nobody says.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/family/distillation.h"
#include "unianimate/family/lora.h"
#include "unianimate/family/request.h"

namespace unianimate::studio {

/// `given`, else the environment variable UNIANIMATE_MODELS, else ./checkpoints.
std::filesystem::path models_folder(const std::string& given);

/// The same, but the embedded model where nothing is given and ./checkpoints has no UNet. Throws Error(kEnvironment)
/// where that model may not be read.
std::filesystem::path models_to_animate_with(const std::string& given);

/// Whether `given` or the environment names a folder.
bool names_models(const std::string& given);

/// Folder of the embedded model; empty where it is not there. Throws likewise.
std::filesystem::path embedded_model();

/// Throws Error(kUsage) where the request has conditions that the model was not distilled with, a preset, or leaves out
/// work of its few steps, whatever samples it. `between`: see Distillation::require_conditions().
void check_distilled(const family::Distillation& distillation, const family::AnimateRequest& request,
                     std::string_view between = ",");

/// Notes on the sampling of a request: what models or LoRAs say they were distilled for, a sampler of distilled models
/// that none of them says it was, and more steps than suit the models. Throws as check_distilled() does.
void tell_sampling(const family::AnimateRequest& request, const std::filesystem::path& models,
                   const std::vector<family::LoraFile>& loras, Progress& progress);

/// A note where `models` is the embedded model.
void tell_models(const std::filesystem::path& models, Progress& progress);

}  // namespace unianimate::studio
