#include "unianimate/diffusion/sampler.h"

#include <algorithm>
#include <array>

#include "unianimate/core/error.h"
#include "unianimate/diffusion/ddim.h"

namespace unianimate::diffusion {

namespace {

constexpr std::array kSamplers{SamplerEntry{"ddim", make_ddim}};

const SamplerEntry* find_sampler(std::string_view name) {
  const auto found = std::ranges::find(kSamplers, name, &SamplerEntry::name);
  return found == kSamplers.end() ? nullptr : &*found;
}

}  // namespace

void SamplerOptions::check() const {
  if (steps < 1 || steps > kTimesteps) {
    throw Error(ErrorKind::kUsage, "steps must be between 1 and {}, found {}", kTimesteps, steps);
  }
  if (!(eta >= 0.0 && eta <= 1.0)) throw Error(ErrorKind::kUsage, "eta must be between 0 and 1, found {}", eta);
  if (find_sampler(sampler) == nullptr) {
    std::vector<std::string_view> names;
    for (const SamplerEntry& entry : kSamplers) names.push_back(entry.name);
    throw Error(ErrorKind::kUsage, "the sampler is one of {}, found '{}'", fmt::join(names, ", "), printable(sampler));
  }
}

std::int64_t SamplerOptions::step_count() const {
  return static_cast<std::int64_t>(timestep_pairs(spacing, steps).size());
}

std::span<const SamplerEntry> samplers() {
  return kSamplers;
}

std::unique_ptr<Sampler> make_sampler(const NoiseProcess& process, const SamplerOptions& options) {
  options.check();
  return find_sampler(options.sampler)->make(process, options);
}

}  // namespace unianimate::diffusion
