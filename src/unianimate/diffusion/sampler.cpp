#include "unianimate/diffusion/sampler.h"

#include <algorithm>
#include <array>

#include "unianimate/core/error.h"
#include "unianimate/diffusion/ddim.h"
#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/fields/range_check.h"

namespace unianimate::diffusion {

namespace {

constexpr std::array kSamplers{SamplerEntry{"ddim", make_ddim}};

}  // namespace

const SamplerEntry& sampler_entry(std::string_view name) {
  const auto found = std::ranges::find(kSamplers, name, &SamplerEntry::name);
  if (found != kSamplers.end()) return *found;
  std::vector<std::string_view> names;
  for (const SamplerEntry& entry : kSamplers) names.push_back(entry.name);
  throw Error(ErrorKind::kUsage, "sampler must be {}, found '{}'", fields::one_of(names), printable(name));
}

void SamplerOptions::check() const {
  fields::check_ranges(*this);
  sampler_entry(sampler);
}

std::int64_t SamplerOptions::step_count() const {
  return static_cast<std::int64_t>(timestep_pairs(spacing, steps).size());
}

std::span<const SamplerEntry> samplers() {
  return kSamplers;
}

std::unique_ptr<Sampler> make_sampler(const NoiseProcess& process, const SamplerOptions& options) {
  options.check();
  return sampler_entry(options.sampler).make(process, options);
}

}  // namespace unianimate::diffusion
