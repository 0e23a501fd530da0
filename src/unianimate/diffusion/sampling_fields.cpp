#include "unianimate/diffusion/sampling_fields.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "unianimate/diffusion/sampler.h"

namespace unianimate::diffusion {

namespace {

struct SamplerName {
  std::string_view name;
};

}  // namespace

}  // namespace unianimate::diffusion

template <>
struct unianimate::fields::TextForm<unianimate::diffusion::SamplerName> {
  static std::string text(const diffusion::SamplerName& sampler) { return std::string(sampler.name); }
  static diffusion::SamplerName parse(std::string_view text) { return {diffusion::sampler_entry(text).name}; }
};

template <>
struct unianimate::fields::TextForm<unianimate::diffusion::TimestepList> {
  static std::string text(const diffusion::TimestepList& list) { return list.text(); }
  static diffusion::TimestepList parse(std::string_view text) { return diffusion::TimestepList::parse(text); }
};

template <>
struct unianimate::fields::TextForm<unianimate::diffusion::GuidanceInterval> {
  static std::string text(const diffusion::GuidanceInterval& interval) { return interval.text(); }
  static diffusion::GuidanceInterval parse(std::string_view text) { return diffusion::GuidanceInterval::parse(text); }
};

namespace unianimate::diffusion {

namespace {

constexpr double kMostLevels = 16;
constexpr double kMostFrames = 1'000'000;

/// "ddim|euler|…", for the help.
const char* sampler_names() {
  static const std::string names = [] {
    std::vector<std::string_view> all;
    for (const SamplerEntry& entry : samplers()) all.push_back(entry.name);
    return fmt::format("{}", fmt::join(all, "|"));
  }();
  return names.c_str();
}

}  // namespace

void visit(fields::Archive& archive, SamplerOptions& options) {
  SamplerName sampler{options.sampler};
  archive("sampler", sampler, fields::before("ddim"), fields::type(sampler_names()), fields::group(kSamplingGroup),
          "How the steps are made, see docs/samplers.md; lcm and tcd are for distilled models");
  options.sampler = sampler.name;
  archive("steps", options.steps, fields::range(1, kTimesteps), fields::kByModel, fields::group(kSamplingGroup),
          "Sampling steps; 25 to 50 are usual");
  archive("timesteps", options.timesteps, fields::kByModel, fields::former_name("timestep_spacing"),
          fields::former_option("--timestep-spacing"), fields::type("LIST"), fields::group(kSamplingGroup),
          "Where the model is asked: published; trailing, which begins at pure noise however few the steps; linspace, "
          "multistep-leading, distillation; FIRST-LAST such as 949-25; or a descending list such as 999,749,499,249");
  if (options.timesteps.rule == TimestepRule::kOwn) {
    options.steps = static_cast<std::int64_t>(options.timesteps.numbers.size());
  }
  archive("final_level", options.final_level, fields::shown_default("what suits the sampler"),
          fields::group(kSamplingGroup),
          "Where the last step leads: zero, to the clean latent; sigma_min, to the noise of timestep 0, as published");
  archive("eta", options.eta, fields::range(0, 1), fields::shown_default("0, of tcd 0.3"),
          fields::group(kSamplingGroup), "New noise in each step, of ddim and tcd: 0 none, 1 as ancestral sampling");
}

void visit(fields::Archive& archive, ShortcutOptions& options) {
  archive("guidance_every", options.guidance_every, fields::range(1, kTimesteps), fields::before("1"),
          fields::group(kShortcutGroup),
          "Work out what the conditions change in every so many-th step, and guess it between; see docs/speed.md");
  archive("guidance_interval", options.guidance_interval, fields::type("LOW-HIGH"),
          fields::shown_default("all timesteps"), fields::group(kShortcutGroup),
          "Timesteps with guidance, such as 200-900; the others take half the work");
  archive("reuse_below", options.reuse_below, fields::range(0, kMostLevels), fields::shown_default("0 where reused"),
          fields::group(kShortcutGroup),
          "Level of the model below which features are reused from step to step, 0 the outermost");
  archive("reuse_every", options.reuse_every, fields::range(1, kTimesteps),
          fields::shown_default("2 with --reuse-below"), fields::group(kShortcutGroup),
          "Compute these features in every so many-th step");
  archive("extrapolate", options.extrapolate, fields::before("false"), fields::group(kShortcutGroup),
          "Ask the model in every second step alone, and go on between from the clean latents before");
}

void visit(fields::Archive& archive, ContextWindowOptions& options) {
  archive("context_size", options.size, fields::range(1, kMostFrames), fields::kByModel, fields::group(kWindowGroup),
          "Frames in a window");
  archive("context_overlap", options.overlap, fields::range(0, kMostFrames), fields::kByModel,
          fields::group(kWindowGroup), "Frames that neighbouring windows share");
  archive("context_batch_size", options.batch_size, fields::range(1, kMostFrames), fields::group(kWindowGroup),
          "Windows computed at once");
  archive("context_schedule", options.schedule, fields::group(kWindowGroup),
          "Where windows lie: moving from step to step, so that no seam stays in place; even, spread without "
          "near-duplicates; or published, where they always lie in the published program");
  archive("context_weights", options.weights, fields::group(kWindowGroup),
          "How frames count where windows overlap: published (all alike), pyramid or hann (less at the edges)");
  archive("carry_state", options.carry_state, fields::before("false"), fields::group(kWindowGroup),
          "Windows go on from the state of the one before: for models with a temporal Mamba, not with moving windows, "
          "several processes, or reused features");
}

}  // namespace unianimate::diffusion
