#include "unianimate/family/presets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/assignment.h"
#include "unianimate/fields/field_texts.h"

namespace unianimate::family {

namespace {

constexpr std::array kPresets{
    PresetEntry{Preset::kExact, ""},
    PresetEntry{Preset::kClose, "timesteps=published steps=30 guidance_every=2 reuse_every=4", 2.0, 55.5, 53.8},
    PresetEntry{Preset::kBalanced, "timesteps=991-40 steps=12 reuse_every=2", 3.5, 50.0, 47.3},
    PresetEntry{Preset::kDraft, "timesteps=949-50 steps=8 reuse_every=2", 5.2, 46.5, 43.6},
    PresetEntry{Preset::kSketch, "timesteps=949-90 steps=4 reuse_every=2", 10.5, 38.2, 35.1},
};

std::string text_of(const AnimateRequest& request, const std::string& field) {
  const std::vector<fields::FieldText> texts = fields::field_texts(request);
  const auto found = std::ranges::find(texts, field, &fields::FieldText::path);
  return found == texts.end() ? "" : found->text;
}

/// The preset as it is.
AnimateRequest whole(Preset preset) {
  AnimateRequest request;
  apply_preset(preset, request);
  return request;
}

/// What the preset set and the request still has.
std::vector<fields::Assignment> kept_settings(const AnimateRequest& request) {
  const AnimateRequest all = whole(request.preset);
  std::vector<fields::Assignment> kept = fields::parse_assignments(preset_entry(request.preset).settings);
  std::erase_if(kept, [&](const fields::Assignment& assignment) {
    return text_of(request, assignment.field) != text_of(all, assignment.field);
  });
  return kept;
}

}  // namespace

const PresetEntry& preset_entry(Preset preset) {
  return *std::ranges::find(kPresets, preset, &PresetEntry::preset);
}

void apply_preset(Preset preset, AnimateRequest& request) {
  fields::assign(request, fields::parse_assignments(preset_entry(preset).settings));
  request.preset = preset;
}

void apply_fitting_preset(Preset preset, const AnimateRequest& wanted, AnimateRequest& request) {
  apply_preset(preset, request);
  const diffusion::ShortcutOptions set = whole(preset).shortcuts;
  const bool reuses_nothing = wanted.sampling.step_count() == 1 || wanted.shortcuts.extrapolate;
  if ((reuses_nothing || wanted.guidance_scale == 1.0) && set.reuses_guidance()) request.shortcuts.guidance_every = 1;
  if (reuses_nothing && set.reuse_every) request.shortcuts.reuse_every.reset();
}

std::string preset_options(const AnimateRequest& request) {
  return fields::option_text<AnimateRequest>(kept_settings(request));
}

bool keeps_preset(const AnimateRequest& request) {
  const AnimateRequest all = whole(request.preset);
  return fields::differences(request.sampling, all.sampling).empty() &&
         fields::differences(request.shortcuts, all.shortcuts).empty();
}

bool is_as_measured(const AnimateRequest& request) {
  const AnimateRequest measured;
  return keeps_preset(request) && request.guidance_scale == measured.guidance_scale &&
         request.noise_prior == measured.noise_prior && request.noise_prior_order == measured.noise_prior_order &&
         request.conditions == measured.conditions && request.decoder == measured.decoder && !request.chain;
}

std::string preset_text(const AnimateRequest& request) {
  if (request.preset == Preset::kExact) return "";
  const PresetEntry& entry = preset_entry(request.preset);
  const std::string text = fmt::format("{}: {}", fields::word(request.preset), preset_options(request));
  if (!keeps_preset(request)) return text + " (in part)";
  const std::string work = fmt::format("{:.1f} times less work of the published network", entry.times_less_work);
  if (!is_as_measured(request)) return fmt::format("{} ({})", text, work);
  return fmt::format("{} ({}; {:.1f} dB from exact videos, {:.1f} the worst of 16 people, of a small model in fp32)",
                     text, work, entry.psnr, entry.worst_psnr);
}

std::string steps_note(const AnimateRequest& request, const AnimateRequest& defaults) {
  const std::int64_t usual = defaults.sampling.step_count();
  const std::int64_t steps = request.sampling.step_count();
  const bool said_otherwise = steps != whole(request.preset).sampling.step_count();
  if (request.preset == Preset::kExact || said_otherwise || steps <= usual) return "";
  return fmt::format("the preset {} takes {} steps, but this model is best at {}: without a preset it is quicker",
                     fields::word(request.preset), steps, usual);
}

AnimateRequest with_preset(const AnimateRequest& defaults, const std::function<void(AnimateRequest&)>& take) {
  AnimateRequest request = defaults;
  take(request);
  if (request.preset == Preset::kExact) return request;
  AnimateRequest wanted = defaults;
  apply_preset(request.preset, wanted);
  take(wanted);
  AnimateRequest fitting = defaults;
  apply_fitting_preset(request.preset, wanted, fitting);
  take(fitting);
  return fitting;
}

}  // namespace unianimate::family
