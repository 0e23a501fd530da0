// Which of sampling's work is left out: the plain facts, and what follows from them for every step. Each shortcut
// changes the video.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/diffusion/level.h"
#include "unianimate/diffusion/sampler_options.h"

namespace unianimate::diffusion {

/// Timesteps, both included.
struct GuidanceInterval {
  std::int64_t low = 0;
  std::int64_t high = kTimesteps - 1;

  /// From "200-900". Throws Error(kUsage) that says what was expected and found.
  static GuidanceInterval parse(std::string_view text);
  /// What parse() reads.
  [[nodiscard]] std::string text() const;
  bool operator==(const GuidanceInterval&) const = default;
};

struct ShortcutOptions {
  std::int64_t guidance_every = 1;  ///< steps from one that works out what the conditions change to the next
  std::optional<GuidanceInterval> guidance_interval = {};  ///< at other timesteps there is no guidance
  /// Deep features, below this level of the model (0 is the outermost), are reused; none: below 0 where they are.
  std::optional<std::int64_t> reuse_below = {};
  /// Steps from one that computes deep features to the next; none: 2 where reuse_below is given, else 1.
  std::optional<std::int64_t> reuse_every = {};
  bool extrapolate = false;  ///< every second step goes on from the two clean latents before instead of the model's

  [[nodiscard]] std::int64_t features_every() const { return reuse_every.value_or(reuse_below ? 2 : 1); }
  [[nodiscard]] std::int64_t features_below() const { return reuse_below.value_or(0); }
  [[nodiscard]] bool reuses_features() const { return features_every() > 1; }
  [[nodiscard]] bool reuses_guidance() const { return guidance_every > 1; }
  /// Tensors of the latent's shape that are remembered from step to step.
  [[nodiscard]] std::int64_t kept_latents() const;
  /// "guidance every 2 steps", …; empty where nothing is left out.
  [[nodiscard]] std::vector<std::string> texts() const;

  /// Throws Error(kUsage) that says which of them cannot be had, and why.
  void check(const SamplerOptions& sampling, double guidance_scale) const;
};

/// How a pass through the model is made.
enum class PassWork {
  kNone,
  kFull,
  kReusing,  ///< with the deep features of an earlier step
};

/// What is computed in one step.
struct StepWork {
  PassWork conditional = PassWork::kFull;    ///< none: the clean latent is extrapolated
  PassWork unconditional = PassWork::kNone;  ///< none with guidance: what the conditions change is extrapolated
  double guidance_scale = 1;                 ///< 1: no guidance in this step
  double ahead = 0;                          ///< what is extrapolated is last + ahead · (last − before)
  std::int64_t windows_of = 0;               ///< the step whose context windows it takes: that of the deep features

  [[nodiscard]] std::int64_t passes() const {
    return (conditional != PassWork::kNone ? 1 : 0) + (unconditional != PassWork::kNone ? 1 : 0);
  }
  bool operator==(const StepWork&) const = default;
};

/// Of every step. `options` are checked.
std::vector<StepWork> step_work(const ShortcutOptions& options, double guidance_scale, std::span<const Level> levels);

}  // namespace unianimate::diffusion
