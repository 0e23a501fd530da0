// model.json: what a checkpoint's shapes cannot tell about a model's sizes.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "unianimate/pipeline/model_files.h"

namespace unianimate::pipeline {

struct ModelDescription {
  ModelConfigs configs;                        ///< the published sizes with what the file says over them
  std::shared_ptr<const nlohmann::json> json;  ///< the file's content; null without a file
  std::filesystem::path path;

  /// Throws Error(kInput) where a value given in the file differs from `actual`, naming the key, both values and the
  /// checkpoint that says otherwise.
  void require_agreement(const ModelConfigs& actual, const ModelFiles& files) const;
};

/// Reads the file; an empty path gives the published sizes. Throws Error(kInput) for broken JSON or a value of the
/// wrong type, Error(kUsage) for an unknown key.
ModelDescription read_model_description(const std::filesystem::path& path);

/// Writes a model.json with all these sizes, atomically. Throws Error(kEnvironment).
void write_model_description(const std::filesystem::path& path, const ModelConfigs& configs);

}  // namespace unianimate::pipeline
