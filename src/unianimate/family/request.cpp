#include "unianimate/family/request.h"

#include "unianimate/core/error.h"
#include "unianimate/diffusion/sampler.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/range_check.h"

namespace unianimate::family {

void ChainOptions::check() const {
  fields::check_ranges(*this);
}

void AnimateRequest::check() const {
  fields::check_ranges(*this);
  sampling.check();
  if (preset != Preset::kExact &&
      diffusion::sampler_entry(sampling.sampler).kind == diffusion::SamplerKind::kDistilled) {
    throw Error(
        ErrorKind::kUsage,
        "preset {} does not go with the sampler {}: a distilled model takes so few steps as it is; leave it out",
        fields::word(preset), sampling.sampler);
  }
  shortcuts.check(sampling, guidance_scale);
  context.check();
  if (context.carry_state && shortcuts.reuses_features()) {
    throw Error(ErrorKind::kUsage,
                "carry_state does not go with reused features, whose passes leave out layers that have a state; leave "
                "reuse_below and reuse_every out, and take no preset that sets them");
  }
  if (!chain) return;
  const std::int64_t segment = chain->segment_size > 0 ? chain->segment_size : context.size;
  if (2 * chain->segment_overlap > segment) {
    throw Error(ErrorKind::kUsage, "segment_overlap must be at most half of segment_size {}, found {}", segment,
                chain->segment_overlap);
  }
}

}  // namespace unianimate::family
