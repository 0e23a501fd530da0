// Models and LoRA files that a folder holds, by names: what callers may choose who say no paths.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/family/lora.h"

namespace unianimate::studio {

struct NamedModel {
  std::string name;    ///< "embedded", or what its folder is called
  std::string family;  ///< "unianimate"
  std::filesystem::path folder;
};

/// The models of a folder, first those in the folder itself, and of each folder in it by their names; the embedded
/// model last, where it is another. Of equal names the first counts.
std::vector<NamedModel> find_models(const std::filesystem::path& models);

/// Names of the LoRA files in the folder "loras" of a folder of models, without their ending, in order.
std::vector<std::string> find_loras(const std::filesystem::path& models);

/// The name of the models that model_by_name() gives without one; empty where the folder has none.
std::string default_model(const std::filesystem::path& models);

/// Throws Error(kInput) where neither the folder nor one in it has models.
void require_models(const std::filesystem::path& models);

/// One of find_models(). Without a name the first of the folder's own, or `models` where it has none: whoever opens
/// them says so, and takes no other ones. Throws Error(kInput) that names those there are.
std::filesystem::path model_by_name(const std::filesystem::path& models, std::string_view name);
/// One of find_loras(). Throws likewise.
std::filesystem::path lora_by_name(const std::filesystem::path& models, std::string_view name);

}  // namespace unianimate::studio
