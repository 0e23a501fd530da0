// A training on disk: everything needed to go on after the process has ended.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "unianimate/core/named_tensor.h"
#include "unianimate/training/task.h"

namespace unianimate::training {

struct TrainingProgress {
  std::int64_t step = 0;       ///< steps done
  double best_validation = 0;  ///< lowest so far; only where has_best
  bool has_best = false;
  double seconds = 0;             ///< of all steps so far
  Measurements sums;              ///< over the steps since the last line of the log
  std::int64_t summed_steps = 0;  ///< how many these are
  std::string settings;           ///< what must not change on the way, one line for each, "name: value"
};

/// Writes the file whole or not at all; the one before stays until then. Throws Error(kEnvironment).
void save_training_state(const std::filesystem::path& file, const TrainingProgress& progress,
                         const NamedTensors& optimizer);

/// Fills `optimizer` and returns the progress. Throws Error(kInput) for a file that is no such state or of another
/// model, Error(kUsage) naming the first line of `settings` that the file has otherwise.
TrainingProgress load_training_state(const std::filesystem::path& file, const std::string& settings,
                                     const NamedTensors& optimizer);

}  // namespace unianimate::training
