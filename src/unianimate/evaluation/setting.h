// One way of making videos, and how its row in a table is told apart from the others.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/family/request.h"

namespace unianimate::evaluation {

struct Setting {
  std::string conditions;  ///< the condition set's name for people: "reference", "image+dwpose"
  /// Reference, poses, size, frames and frame interval are filled in by the evaluation.
  family::AnimateRequest request;
  std::string variant = {};  ///< what it differs in from the first variant, for people; empty: nothing varies so
  /// The setting with the first variant and else the same, whose videos its own are compared with; none: with no
  /// others.
  std::optional<std::size_t> compared_with = {};
  std::size_t models = 0;  ///< number of the models that make its videos, of those that an evaluation is given

  /// Conditions and variant, for tables.
  [[nodiscard]] std::string label() const;
  /// Whether the reference picture is the video's first frame, as local_image wants it; else the person stands
  /// otherwise in it.
  [[nodiscard]] bool starts_from_first_frame() const;
};

/// A number that settings may differ in.
struct Parameter {
  std::string_view name;  ///< "steps"
  bool counts_as_curve;   ///< results over it make a curve; a seed's do not
  double (*value)(const family::AnimateRequest& request);
  std::string (*text)(const family::AnimateRequest& request);
};
/// Steps, guidance, noise prior and seed.
const std::array<Parameter, 4>& parameters();

/// A choice that is told in tables where one of their settings is not as usual.
struct Choice {
  std::string_view name;  ///< as its field is called: "decoder"
  std::string_view (*word)(const family::AnimateRequest& request);
};
/// Of preset and decoder those with another word than the usual one in any of the settings.
std::vector<Choice> unusual_choices(std::span<const Setting> settings);

/// The different values of a parameter.
std::size_t count_values(const Parameter& parameter, std::span<const Setting> settings);

/// Conditions, variant and those parameters in which `settings` differ, without `left_out`: "reference, steps 20".
std::string name_among(const Setting& setting, std::span<const Setting> settings, const Parameter* left_out = nullptr);

}  // namespace unianimate::evaluation
