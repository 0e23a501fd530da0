// Which models are used where nobody says.
#pragma once

#include <filesystem>
#include <string>

#include "unianimate/core/progress.h"

namespace unianimate::studio {

/// `given`, else the environment variable UNIANIMATE_MODELS, else ./checkpoints.
std::filesystem::path models_folder(const std::string& given);

/// The same, but the embedded model where nothing is given and ./checkpoints has no UNet. Throws Error(kEnvironment)
/// where that model may not be read.
std::filesystem::path models_to_animate_with(const std::string& given);

/// A note where `models` is the embedded model.
void tell_models(const std::filesystem::path& models, Progress& progress);

}  // namespace unianimate::studio
