// What is trained, and how well it does.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "unianimate/core/named_tensor.h"
#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::training {

/// Numbers for the log, by name.
using Measurements = std::map<std::string, double>;

struct Loss {
  at::Tensor total;    ///< a scalar to differentiate
  Measurements parts;  ///< what it is made of
};

class Task {
 public:
  virtual ~Task() = default;

  /// What the optimizer changes.
  [[nodiscard]] virtual NamedTensors parameters() const = 0;
  /// 32-bit values of all parameters() in their order, where these are roundings of known ones; else none. They are
  /// given once.
  [[nodiscard]] virtual NamedTensors exact_parameters() { return {}; }
  /// The loss of one microbatch, a pure function of the parameters, the number, and how far the training is (0 … 1).
  /// Microbatches are numbered over the whole training and all processes.
  [[nodiscard]] virtual Loss loss(std::int64_t microbatch, double progress) = 0;
  /// To be called when gradients have arrived where the loss left them, before the parameters' are looked at …
  virtual void collect_gradients() {}
  /// … and when the parameters have changed, or state() was written to, before the next loss, measurement or export.
  virtual void parameters_changed() {}
  /// When an update of the parameters was made, before parameters_changed().
  virtual void step_done() {}
  /// What beside the parameters goes from step to step, for saving and for loading in place.
  [[nodiscard]] virtual NamedTensors state() const { return {}; }
  /// Measured on material kept aside, the same every time. "validation" is what decides which weights are best: lower
  /// is better.
  [[nodiscard]] virtual Measurements validate() = 0;
  /// What the model makes of material kept aside, for people to look at. `progress` may cancel.
  [[nodiscard]] virtual Image sample_sheet(const Progress& progress) = 0;
  /// Writes a folder of checkpoints that the program can load.
  virtual void export_model(const std::filesystem::path& folder) const = 0;
};

}  // namespace unianimate::training
