// model.json, and what diffusers writes beside an autoencoder: what a checkpoint's shapes cannot tell about a model,
// and settings that suit it.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

#include "unianimate/family/request.h"
#include "unianimate/family/unianimate/model_files.h"

namespace unianimate::family {

struct ModelDescription {
  ModelConfigs configs;                        ///< the published sizes with what the file says over them
  AnimateRequest defaults;                     ///< the published settings with the file's "defaults" over them
  std::shared_ptr<const nlohmann::json> json;  ///< the file's content; null without a file
  std::filesystem::path path;

  /// Throws Error(kInput) where a value given in the file differs from `actual`, naming the key, both values and the
  /// checkpoint that says otherwise.
  void require_agreement(const ModelConfigs& actual, const ModelFiles& files) const;

  /// Throws as scaling_factor_beside(), and Error(kInput) where that is not the scale_factor given here, or, where none
  /// is, not the published one: the UNet was trained on the latents of another autoencoder.
  void require_scaling_factor(const std::filesystem::path& autoencoder) const;
};

/// The scaling_factor in diffusers' config.json in the folder of the file; empty where there is none. Throws
/// Error(kInput) for broken JSON, and for a value that is no positive number.
std::optional<double> scaling_factor_beside(const std::filesystem::path& autoencoder);

/// Reads the file; an empty path gives the published sizes. Throws Error(kInput) for broken JSON or a value of the
/// wrong type, Error(kUsage) for an unknown key.
ModelDescription read_model_description(const std::filesystem::path& path);

/// The same of a text; `path` stands for its file.
ModelDescription parse_model_description(std::string_view text, const std::filesystem::path& path);

/// The settings that suit the model in `folder`: those of its model.json, where it has one. Throws as above.
AnimateRequest default_request(const std::filesystem::path& folder);

/// Writes a model.json with all sizes and defaults, atomically. Throws Error(kEnvironment).
void write_model_description(const std::filesystem::path& path, const ModelDescription& description);

}  // namespace unianimate::family
