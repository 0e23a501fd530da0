#include "unianimate/evaluation/setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

namespace unianimate::evaluation {

namespace {

using family::AnimateRequest;

}  // namespace

std::string Setting::label() const {
  return variant.empty() ? conditions : conditions + ", " + variant;
}

bool Setting::starts_from_first_frame() const {
  return request.conditions.contains(family::Condition::kLocalImage);
}

const std::array<Parameter, 4>& parameters() {
  static constexpr std::array<Parameter, 4> kParameters{{
      {"steps", true, [](const AnimateRequest& request) { return static_cast<double>(request.sampling.steps); },
       [](const AnimateRequest& request) { return fmt::to_string(request.sampling.steps); }},
      {"guidance", true, [](const AnimateRequest& request) { return request.guidance_scale; },
       [](const AnimateRequest& request) { return fmt::format("{:g}", request.guidance_scale); }},
      {"noise prior", true, [](const AnimateRequest& request) { return static_cast<double>(request.noise_prior); },
       [](const AnimateRequest& request) { return fmt::to_string(request.noise_prior); }},
      {"seed", false, [](const AnimateRequest& request) { return static_cast<double>(request.seed); },
       [](const AnimateRequest& request) { return fmt::to_string(request.seed); }},
  }};
  return kParameters;
}

std::vector<Choice> unusual_choices(std::span<const Setting> settings) {
  static constexpr std::array kChoices{
      Choice{"preset", [](const AnimateRequest& request) { return fields::word(request.preset); }},
      Choice{"decoder", [](const AnimateRequest& request) { return fields::word(request.decoder); }}};
  const AnimateRequest usual;
  std::vector<Choice> unusual;
  std::ranges::copy_if(kChoices, std::back_inserter(unusual), [&](const Choice& choice) {
    return std::ranges::any_of(
        settings, [&](const Setting& setting) { return choice.word(setting.request) != choice.word(usual); });
  });
  return unusual;
}

std::size_t count_values(const Parameter& parameter, std::span<const Setting> settings) {
  std::set<std::string> values;
  for (const Setting& setting : settings) values.insert(parameter.text(setting.request));
  return values.size();
}

std::string name_among(const Setting& setting, std::span<const Setting> settings, const Parameter* left_out) {
  std::string name = setting.label();
  // What a variant sets is in its name.
  std::vector<Setting> alike;
  std::ranges::copy_if(settings, std::back_inserter(alike),
                       [&](const Setting& other) { return other.variant == setting.variant; });
  for (const Parameter& parameter : parameters()) {
    if (&parameter == left_out || count_values(parameter, alike) < 2) continue;
    name += fmt::format(", {} {}", parameter.name, parameter.text(setting.request));
  }
  return name;
}

}  // namespace unianimate::evaluation
