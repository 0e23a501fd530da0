// How near to the exact video one wants to be for how much work, in a word.
#pragma once

#include <functional>
#include <string>

#include "unianimate/family/request.h"

namespace unianimate::family {

struct PresetEntry {
  Preset preset;
  const char* settings;        ///< what it sets, as fields::parse_assignments() reads it
  double times_less_work = 1;  ///< than the exact one, of the published network with 32 frames of 512x768
  /// dB to the exact videos, of a small model in fp32 (docs/speed.md), the mean over people; 0: they are the same.
  double psnr = 0;
  double worst_psnr = 0;  ///< of one person; both as docs/speed-measured.md has them
};

/// Of exact, the first one, it sets nothing; the others follow from the nearest to the quickest.
const PresetEntry& preset_entry(Preset preset);

/// Puts what the preset sets into the request, its name too.
void apply_preset(Preset preset, AnimateRequest& request);

/// The same without what cannot be had with the steps, the guidance and the extrapolation of `wanted`, such as reuse
/// from step to step with one step.
void apply_fitting_preset(Preset preset, const AnimateRequest& wanted, AnimateRequest& request);

/// Whether the request is sampled just as its preset says, so that it takes so much less work.
bool keeps_preset(const AnimateRequest& request);

/// Whether all else in it that its distance from exact videos depends on is as it was measured, too: guidance 2.5,
/// noise prior 949, the conditions "reference", the full decoder and no chain.
bool is_as_measured(const AnimateRequest& request);

/// What the preset set as options, as far as the request still has it: "--steps 12 --timesteps 991-40".
std::string preset_options(const AnimateRequest& request);

/// For people: "balanced: --timesteps 991-40 --steps 12 (3.5 times less work of …)"; empty for the exact one.
/// Without the measures that do not hold where something else was said.
std::string preset_text(const AnimateRequest& request);

/// Where the preset takes more steps than the model is made for: a sentence that says so; else empty.
std::string steps_note(const AnimateRequest& request, const AnimateRequest& defaults);

/// The defaults with what the preset that is asked for sets, as far as it can be had with the rest, and over that what
/// `take` puts into a request, the preset's name among it. What is said is never left out, also where check() refuses
/// it then. Throws what `take` throws; it is called up to three times.
AnimateRequest with_preset(const AnimateRequest& defaults, const std::function<void(AnimateRequest&)>& take);

}  // namespace unianimate::family
