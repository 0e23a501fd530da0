#include "unianimate/diffusion/sampling_fields.h"

#include <string>
#include <string_view>

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

namespace unianimate::diffusion {

namespace {

constexpr double kMostFrames = 1'000'000;

}  // namespace

void visit(fields::Archive& archive, SamplerOptions& options) {
  SamplerName sampler{options.sampler};
  archive("sampler", sampler);
  options.sampler = sampler.name;
  archive("steps", options.steps, fields::range(1, kTimesteps), fields::kByModel, fields::group(kSamplingGroup),
          "Sampling steps; 25 to 50 are usual");
  archive("timestep_spacing", options.spacing, fields::kByModel, fields::group(kSamplingGroup),
          "leading as published, or trailing, which begins at pure noise however few the steps");
  archive("eta", options.eta, fields::range(0, 1), fields::group(kSamplingGroup),
          "New noise in each step: 0 none, 1 as ancestral sampling");
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
}

}  // namespace unianimate::diffusion
