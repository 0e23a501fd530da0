#include "unianimate/diffusion/shortcuts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/diffusion/sampler.h"
#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/fields/range_check.h"

namespace unianimate::diffusion {

namespace {

/// The two last steps in which something was computed.
class ComputedSteps {
 public:
  void add(std::int64_t step) {
    before_ = last_;
    last_ = step;
  }
  [[nodiscard]] bool any() const { return last_.has_value(); }
  /// By how many of their distances a later step lies behind them; 0 where there is one alone.
  [[nodiscard]] double ahead(std::int64_t step) const {
    return before_ ? static_cast<double>(step - *last_) / static_cast<double>(*last_ - *before_) : 0;
  }

 private:
  std::optional<std::int64_t> last_;
  std::optional<std::int64_t> before_;
};

/// One of a step's two passes, from step to step.
class DeepFeatures {
 public:
  explicit DeepFeatures(std::int64_t every) : every_(every) {}

  /// A pass that was not made in the last step that computes features has none to reuse.
  PassWork pass(std::int64_t step) {
    const std::int64_t period = step / every_;
    const bool kept = every_ > 1 && std::exchange(period_, period) == period;
    return kept ? PassWork::kReusing : PassWork::kFull;
  }

 private:
  std::int64_t every_;
  std::int64_t period_ = -1;  ///< in which it was made last
};

/// The steps of --extrapolate that ask the model: the first three, then every second.
bool asks_model(std::int64_t step) {
  return step % 2 == 0 || step == 1;
}

constexpr std::int64_t kFirstExtrapolated = 3;

struct ShortcutRule {
  const char* field;
  bool given;
};

/// The one that was given of the two that say what is reused.
const char* reuse_field(const ShortcutOptions& options) {
  return options.reuse_below ? "reuse_below" : "reuse_every";
}

/// What cannot be had with the sampler.
void check_sampler(const ShortcutOptions& options, const SamplerOptions& sampling) {
  const SamplerKind kind = sampler_entry(sampling.sampler).kind;
  const ShortcutRule rules[] = {{"guidance_every", options.reuses_guidance()},
                                {"guidance_interval", options.guidance_interval.has_value()},
                                {reuse_field(options), options.reuses_features()},
                                {"extrapolate", options.extrapolate}};
  for (const auto& [field, given] : rules) {
    if (!given || kind != SamplerKind::kDistilled) continue;
    throw Error(ErrorKind::kUsage,
                "{} does not go with the sampler {}: a distilled model takes so few steps that they have little in "
                "common; leave it out",
                field, sampling.sampler);
  }
  if (options.extrapolate && kind == SamplerKind::kSecondOrder) {
    throw Error(ErrorKind::kUsage,
                "extrapolate does not go with the sampler {}, which looks back itself; leave it out, or choose ddim",
                sampling.sampler);
  }
}

/// That there is guidance in some step.
void check_interval(const ShortcutOptions& options, const SamplerOptions& sampling) {
  if (!options.guidance_interval) return;
  const GuidanceInterval& interval = *options.guidance_interval;
  std::vector<std::int64_t> asked;
  const std::vector<std::int64_t> all = timesteps(sampling.timesteps, sampling.steps);
  for (std::size_t step = 0; step < all.size(); ++step) {
    if (!options.extrapolate || asks_model(static_cast<std::int64_t>(step))) asked.push_back(all[step]);
  }
  const auto holds = [&](std::int64_t time) { return interval.low <= time && time <= interval.high; };
  if (std::any_of(asked.begin(), asked.end(), holds)) return;
  throw Error(ErrorKind::kUsage,
              "guidance_interval {} holds none of the {} timesteps from {} to {} at which the model is asked, so that "
              "nothing would be guided; give another interval, or guidance_scale 1 without one",
              interval.text(), asked.size(), asked.front(), asked.back());
}

}  // namespace

GuidanceInterval GuidanceInterval::parse(std::string_view text) {
  GuidanceInterval interval;
  const char* const end = text.data() + text.size();
  const auto [dash, first_problem] = std::from_chars(text.data(), end, interval.low);
  if (first_problem == std::errc{} && dash != end && *dash == '-') {
    const auto [rest, problem] = std::from_chars(dash + 1, end, interval.high);
    const bool good = problem == std::errc{} && rest == end;
    if (good && 0 <= interval.low && interval.low <= interval.high && interval.high < kTimesteps) return interval;
  }
  throw Error(ErrorKind::kUsage,
              "a guidance interval is two timesteps between 0 and {}, the lower one first, such as 200-900, found '{}'",
              kTimesteps - 1, printable(text));
}

std::string GuidanceInterval::text() const {
  return fmt::format("{}-{}", low, high);
}

std::int64_t ShortcutOptions::kept_latents() const {
  return (reuses_guidance() ? 2 : 0) + (extrapolate ? 2 : 0);
}

std::vector<std::string> ShortcutOptions::texts() const {
  std::vector<std::string> texts;
  if (reuses_guidance()) texts.push_back(fmt::format("guidance every {} steps", guidance_every));
  if (guidance_interval) texts.push_back(fmt::format("guidance at timesteps {}", guidance_interval->text()));
  if (reuses_features()) {
    texts.push_back(fmt::format("features below level {} every {} steps", features_below(), features_every()));
  }
  if (extrapolate) texts.emplace_back("extrapolated every 2 steps");
  return texts;
}

void ShortcutOptions::check(const SamplerOptions& sampling, double guidance_scale) const {
  fields::check_ranges(*this);
  check_sampler(*this, sampling);
  const bool needs_guidance = reuses_guidance() || guidance_interval;
  if (needs_guidance && guidance_scale == 1.0) {
    throw Error(ErrorKind::kUsage,
                "{} has no effect with guidance_scale 1, which has no guidance; leave it out, or give another scale, "
                "such as 2.5",
                reuses_guidance() ? "guidance_every" : "guidance_interval");
  }
  check_interval(*this, sampling);
  const std::int64_t steps = sampling.step_count();
  if (steps == 1 && (reuses_guidance() || reuses_features())) {
    throw Error(
        ErrorKind::kUsage,
        "{} needs at least two steps, found 1: there is no step before to reuse anything of; leave it out, or give "
        "steps, such as 30",
        reuses_guidance() ? "guidance_every" : reuse_field(*this));
  }
  if (reuse_below && !reuses_features()) {
    throw Error(ErrorKind::kUsage, "reuse_below has no effect with reuse_every 1, which reuses nothing; leave one out");
  }
  if (!extrapolate) return;
  if (features_every() == 2) {
    throw Error(
        ErrorKind::kUsage,
        "extrapolate does not go with features that are reused every 2 steps ({}), which are the steps that are "
        "extrapolated; give a reuse_every of 3 or more, or leave one out",
        reuse_field(*this));
  }
  if (reuses_guidance()) {
    throw Error(ErrorKind::kUsage,
                "extrapolate does not go with guidance_every: both would guess in the same steps; leave one out");
  }
  if (steps <= kFirstExtrapolated) {
    throw Error(ErrorKind::kUsage, "extrapolate needs at least {} steps, found {}: the first {} ask the model",
                kFirstExtrapolated + 1, steps, kFirstExtrapolated);
  }
}

std::vector<StepWork> step_work(const ShortcutOptions& options, double guidance_scale, std::span<const Level> levels) {
  const std::int64_t features_every = options.features_every();
  ComputedSteps clean;
  ComputedSteps difference;
  DeepFeatures conditional(features_every);
  DeepFeatures unconditional(features_every);
  const auto guided = [&](double time) {
    const auto& interval = options.guidance_interval;
    return guidance_scale != 1.0 &&
           (!interval || (static_cast<double>(interval->low) <= time && time <= static_cast<double>(interval->high)));
  };
  std::vector<StepWork> all;
  for (std::int64_t step = 0; step < static_cast<std::int64_t>(levels.size()); ++step) {
    StepWork& work = all.emplace_back(StepWork{.windows_of = step - step % features_every});
    if (options.extrapolate && !asks_model(step)) {
      work.conditional = PassWork::kNone;
      work.ahead = clean.ahead(step);
      continue;
    }
    clean.add(step);
    work.conditional = conditional.pass(step);
    if (!guided(levels[static_cast<std::size_t>(step)].time)) continue;
    work.guidance_scale = guidance_scale;
    if (step % options.guidance_every == 0 || !difference.any()) {
      work.unconditional = unconditional.pass(step);
      difference.add(step);
    } else {
      work.ahead = difference.ahead(step);
    }
  }
  return all;
}

}  // namespace unianimate::diffusion
