// One count of UNet calls over many animations.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "unianimate/core/progress.h"
#include "unianimate/pipeline/animate.h"

namespace unianimate::evaluation {

/// Tells the calls of all animations, and of all segments of each, as the steps of one phase "animate people", and each
/// note once.
class SamplingProgress final : public Progress {
 public:
  /// `outer` must outlive this.
  SamplingProgress(Progress& outer, std::int64_t unet_calls) : outer_(outer) {
    outer_.begin_phase("animate people", unet_calls);
  }

  /// With which an animation is to be made that this counts. This must outlive it.
  [[nodiscard]] pipeline::AnimateOptions options() {
    pipeline::AnimateOptions options;
    options.phase_begins = [this](const pipeline::PhasePlace& place) {
      sampling_ = place.kind == pipeline::PhaseKind::kSample;
      before_ += std::exchange(done_, 0);
    };
    return options;
  }
  void step(std::int64_t done) override {
    if (!sampling_) return;
    done_ = done;
    outer_.step(before_ + done_);
  }
  void note(const std::string& message) override {
    if (told_.insert(message).second) outer_.note(message);
  }
  [[nodiscard]] bool cancelled() const override { return outer_.cancelled(); }

 private:
  Progress& outer_;
  bool sampling_ = false;
  std::int64_t before_ = 0;  ///< calls of the phases that are over
  std::int64_t done_ = 0;    ///< of the present one
  std::set<std::string> told_;
};

}  // namespace unianimate::evaluation
