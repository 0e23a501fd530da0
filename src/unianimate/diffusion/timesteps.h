// At which timesteps of 1000 a sampler asks a model: rules with names, and lists of one's own.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/fields/words.h"

namespace unianimate::diffusion {

/// Timesteps of the training, 0 … kTimesteps − 1.
constexpr std::int64_t kTimesteps = 1000;

/// N is the number of steps; halves are rounded away from zero unless it says otherwise.
enum class TimestepRule {
  kPublished,  ///< clamp(1 + {0, stride, 2·stride, … < 1000}, 0, 999) with stride 1000 div N; may be one more than N
  kTrailing,   ///< round({1, 2, … N} · 1000 / N) − 1: begins at 999 however few they are ("Common Diffusion Noise
               ///< Schedules and Sample Steps are Flawed", table 2)
  kLinspace,   ///< round({N, … 1} · 999 / N), halves to even: diffusers' "linspace" of multistep solvers
  kMultistepLeading,  ///< {N, … 1} · (1000 div (N + 1)) + 1: diffusers' "leading" of multistep solvers
  kDistillation,      ///< 999 − 20 · (j · 50 div N): what models distilled on 50 timesteps know
  kBetween,           ///< round(first + (last − first) · j / (N − 1)), the first where N is 1; "FIRST-LAST"
  kOwn,               ///< any descending list
};

/// Those of the rules that have a name. "leading" is what "published" was called before.
constexpr auto words(TimestepRule /*of*/) {
  return std::array<fields::Word<TimestepRule>, 5>{{{TimestepRule::kPublished, "published"},
                                                    {TimestepRule::kTrailing, "trailing"},
                                                    {TimestepRule::kLinspace, "linspace"},
                                                    {TimestepRule::kMultistepLeading, "multistep-leading"},
                                                    {TimestepRule::kDistillation, "distillation"}}};
}

struct TimestepList {
  TimestepRule rule = TimestepRule::kPublished;
  std::vector<std::int64_t> numbers = {};  ///< of kBetween first and last, of kOwn all of them, else none

  /// From a word, "949-25", or "999,749,499,249". Throws Error(kUsage) that says what was expected and found, also for
  /// numbers that do not descend or lie outside of 0 … 999.
  static TimestepList parse(std::string_view text);
  /// What parse() reads.
  [[nodiscard]] std::string text() const;
  bool operator==(const TimestepList&) const = default;
};

/// Throws Error(kUsage) where the list has no so many different timesteps, or where a list of one's own has another
/// number of them. `steps`: 1 … kTimesteps.
void check_timesteps(const TimestepList& list, std::int64_t steps);

/// From one published timestep to the next, and how far a step of the published sampler leads.
std::int64_t published_stride(std::int64_t steps);

/// Of `steps` steps, which check_timesteps() lets pass. Descending; only the published rule has 999 twice where steps
/// are over 500.
std::vector<std::int64_t> timesteps(const TimestepList& list, std::int64_t steps);

}  // namespace unianimate::diffusion
