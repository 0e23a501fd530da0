// One count of UNet calls over many animations.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "unianimate/core/progress.h"

namespace unianimate::evaluation {

/// Tells the calls of all animations, and of all segments of each, as the steps of one phase "animate people", and each
/// note once.
class SamplingProgress final : public Progress {
 public:
  /// `outer` must outlive this.
  SamplingProgress(Progress& outer, std::int64_t unet_calls) : outer_(outer) {
    outer_.begin_phase("animate people", unet_calls);
  }

  void begin_phase(std::string_view name, std::int64_t /*total*/) override {
    sampling_ = name.starts_with("sample");
    before_ += done_;
    done_ = 0;
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
