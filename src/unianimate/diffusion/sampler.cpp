#include "unianimate/diffusion/sampler.h"

#include <algorithm>
#include <array>

#include "unianimate/core/error.h"
#include "unianimate/diffusion/ddim.h"
#include "unianimate/diffusion/dpm_solver.h"
#include "unianimate/diffusion/lcm.h"
#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/diffusion/tcd.h"
#include "unianimate/diffusion/unipc.h"
#include "unianimate/fields/range_check.h"

namespace unianimate::diffusion {

namespace {

constexpr std::array kSamplers{
    SamplerEntry{.name = "ddim", .make = make_ddim, .final_level = FinalLevel::kSigmaMin, .takes_eta = true},
    SamplerEntry{.name = "euler", .make = make_ddim},
    SamplerEntry{.name = "euler-ancestral", .make = make_ddim, .eta = 1},
    SamplerEntry{.name = "dpmpp-2m", .make = make_dpm_solver, .kind = SamplerKind::kSecondOrder},
    SamplerEntry{.name = "dpmpp-2m-sde", .make = make_dpm_solver_sde, .kind = SamplerKind::kSecondOrder},
    SamplerEntry{.name = "unipc", .make = make_unipc, .kind = SamplerKind::kSecondOrder},
    SamplerEntry{.name = "unipc-bh1",
                 .make = make_unipc_bh1,
                 .final_level = FinalLevel::kSigmaMin,
                 .why_this_level = "its B(h) is infinite at zero noise, which gives no number; unipc can end there",
                 .kind = SamplerKind::kSecondOrder},
    SamplerEntry{.name = "lcm",
                 .make = make_lcm,
                 .why_this_level = "its last step makes the clean latent itself",
                 .kind = SamplerKind::kDistilled},
    SamplerEntry{.name = "tcd",
                 .make = make_tcd,
                 .final_level = FinalLevel::kSigmaMin,
                 .eta = 0.3,
                 .takes_eta = true,
                 .kind = SamplerKind::kDistilled}};

std::vector<std::string_view> names(bool (*which)(const SamplerEntry&)) {
  std::vector<std::string_view> names;
  for (const SamplerEntry& entry : kSamplers) {
    if (which(entry)) names.push_back(entry.name);
  }
  return names;
}

}  // namespace

const SamplerEntry& sampler_entry(std::string_view name) {
  const auto found = std::ranges::find(kSamplers, name, &SamplerEntry::name);
  if (found != kSamplers.end()) return *found;
  const auto all = names([](const SamplerEntry&) { return true; });
  throw Error(ErrorKind::kUsage, "sampler must be {}, found '{}'", fields::one_of(all), printable(name));
}

void SamplerOptions::check() const {
  fields::check_ranges(*this);
  check_timesteps(timesteps, steps);
  const SamplerEntry& entry = sampler_entry(sampler);
  if (eta && !entry.takes_eta) {
    const auto others = names([](const SamplerEntry& other) { return other.takes_eta; });
    throw Error(ErrorKind::kUsage, "eta has no effect with the sampler {}; leave it out, or choose {}", sampler,
                fields::one_of(others));
  }
  if (final_level && *final_level != entry.final_level && !entry.why_this_level.empty()) {
    throw Error(ErrorKind::kUsage, "the final level of the sampler {} must be {}, found {}: {}", sampler,
                fields::word(entry.final_level), fields::word(*final_level), entry.why_this_level);
  }
}

SamplerOptions SamplerOptions::resolved() const {
  const SamplerEntry& entry = sampler_entry(sampler);
  SamplerOptions options = *this;
  options.final_level = final_level.value_or(entry.final_level);
  options.eta = eta.value_or(entry.eta);
  return options;
}

std::int64_t SamplerOptions::step_count() const {
  return static_cast<std::int64_t>(diffusion::timesteps(timesteps, steps).size());
}

std::span<const SamplerEntry> samplers() {
  return kSamplers;
}

std::unique_ptr<Sampler> make_sampler(const NoiseProcess& process, const SamplerOptions& options) {
  options.check();
  return sampler_entry(options.sampler).make(process, options.resolved());
}

}  // namespace unianimate::diffusion
