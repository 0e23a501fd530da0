// The loop of training: steps, validation, samples, saving, going on.
#pragma once

#include <cstdint>

#include "unianimate/core/device.h"
#include "unianimate/core/progress.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/pose/align/pose_source.h"
#include "unianimate/training/train_config.h"

namespace unianimate::training {

struct TrainingReport {
  std::int64_t steps = 0;  ///< done in all, by earlier runs too
  double last_loss = 0;
  bool finished = false;        ///< false where it was asked to stop
  std::filesystem::path model;  ///< folder of the averaged weights; in the first process
};

/// Trains, or goes on with the training that the output folder holds, in all processes of the group alike. The folder
/// gets
/// - state.safetensors: everything needed to go on;
/// - log.jsonl and loss.png;
/// - samples/step-N.png;
/// - model/: the averaged weights, loadable by the program; best/: those with the lowest validation.
/// `poses`: for a configuration that trains on videos, which without it is refused.
/// When `progress` cancels, the state is saved and the report says so. Throws Error(kUsage) where the configuration
/// does not fit the models or the processes, Error(kInput) for unusable files, Error(kEnvironment) where the folder
/// cannot be written to (what was saved before stays) or the loss is no longer a number.
TrainingReport train(const TrainConfig& config, const Compute& compute, distributed::ProcessGroup& group,
                     Progress& progress, const pose::PoseSourceMaker& poses = {});

}  // namespace unianimate::training
