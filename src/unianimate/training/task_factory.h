// From a configuration to what is trained: models with their first weights, and material.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>

#include "unianimate/core/progress.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/training/footage.h"
#include "unianimate/training/task.h"
#include "unianimate/training/train_config.h"

namespace unianimate::training {

/// Sizes and default settings of the models that the configuration names. Throws Error(kUsage) where the sizes of
/// pictures and crops do not fit them, and what reading them throws.
family::ModelDescription describe_models(const TrainConfig& config);

/// Procedural people, or `videos` where there are any: the first process prepares them, the others find what it made.
std::shared_ptr<const FootageSource> open_footage(const PuppetFootageOptions& people,
                                                  const std::optional<VideoFootageOptions>& videos,
                                                  const pose::PoseSourceMaker& poses, distributed::ProcessGroup& group,
                                                  Progress& progress);

/// Loads or makes the models, which are as describe_models() says. Throws Error(kInput) for unusable files.
std::unique_ptr<Task> make_task(const TrainConfig& config, const family::ModelDescription& description,
                                const std::shared_ptr<const FootageSource>& footage,
                                const std::shared_ptr<const FootageSource>& kept_aside, at::Device device,
                                Progress& progress);

}  // namespace unianimate::training
