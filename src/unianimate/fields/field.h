// What is said of a field beside its name and its value. The traits are given to an archive after these two, in any
// order: archive("steps", sampling.steps, range(1, 1000), "Sampling steps; 25 to 50 are usual").
#pragma once

#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace unianimate::fields {

/// Numbers that a field may have.
struct Range {
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();
  bool without_lowest = false;
  bool without_highest = false;
  std::string_view unit = {};  ///< "pixels"

  /// False for what is no number.
  [[nodiscard]] bool contains(double value) const {
    return (without_lowest ? value > lowest : value >= lowest) &&
           (without_highest ? value < highest : value <= highest);
  }
  [[nodiscard]] bool is_everything() const { return *this == Range{}; }
  /// "between 1 and 1000", "at least 0", "above 0", "at least 0 and below 1", with the unit behind.
  [[nodiscard]] std::string text() const;
  /// The same as briefly as a help needs it: "1 to 1000".
  [[nodiscard]] std::string short_text() const;
  bool operator==(const Range&) const = default;
};

constexpr Range range(double lowest, double highest, std::string_view unit = {}) {
  return {lowest, highest, false, false, unit};
}
constexpr Range at_least(double lowest) {
  return {.lowest = lowest};
}
constexpr Range above(double lowest) {
  return {.lowest = lowest, .without_lowest = true};
}
constexpr Range at_least_and_below(double lowest, double highest) {
  return {lowest, highest, false, true, {}};
}

struct Field {
  const char* name;
  const char* help = nullptr;  ///< of its option; a field without stands in files alone
  Range range = {};
  const char* option = nullptr;         ///< where it is not "--" and the name with hyphens; "--output,-o"
  const char* former_option = nullptr;  ///< goes on being read and is not shown
  const char* former_name = nullptr;    ///< in files, read where the present one is missing
  bool switched_off = false;            ///< the option is a switch that makes it false
  const char* group = "Options";        ///< of the help
  const char* type = nullptr;           ///< what the help calls its values, where not after its kind: "FILE"
  const char* needs = nullptr;          ///< another option without which it may not be given
  const char* expected = nullptr;       ///< after "expects", for text that cannot be read: "seconds such as 4.5"
  const char* none = nullptr;           ///< what is written for no value on the command line: "all"
  std::string default_text = {};        ///< what the help shows as the default instead of the value, where not empty
  bool shows_default = true;
  bool required = false;         ///< on the command line
  const char* width = nullptr;   ///< of a size: the names of its sides in files, where these are two numbers
  const char* height = nullptr;  ///<
  const char* before = nullptr;  ///< value in files written before the field was added; else it has to stand there
  bool bytes = false;            ///< people write it as a size such as "9GB"
  bool by_model = false;         ///< a model may have a default of its own

  /// "--frame-interval"
  [[nodiscard]] std::string option_names() const;
  /// The first of them.
  [[nodiscard]] std::string option_name() const;
};

// ---- traits

struct Option {
  const char* names;
};
/// Its option, where the name does not say it.
constexpr Option option(const char* names) {
  return {names};
}
struct FormerOption {
  const char* name;
};
constexpr FormerOption former_option(const char* name) {
  return {name};
}
struct FormerName {
  const char* name;
};
constexpr FormerName former_name(const char* name) {
  return {name};
}
struct SwitchedOffBy {
  const char* name;
};
/// Of a flag that is true unless the switch is given.
constexpr SwitchedOffBy switched_off_by(const char* name) {
  return {name};
}
struct Group {
  const char* name;
};
constexpr Group group(const char* name) {
  return {name};
}
struct TypeName {
  const char* name;
};
constexpr TypeName type(const char* name) {
  return {name};
}
struct Needs {
  const char* option;
};
constexpr Needs needs(const char* option) {
  return {option};
}
struct Expected {
  const char* text;
};
constexpr Expected expects(const char* text) {
  return {text};
}
struct None {
  const char* word;
};
constexpr None none(const char* word) {
  return {word};
}
struct Sides {
  const char* width;
  const char* height;
};
constexpr Sides sides(const char* width, const char* height) {
  return {width, height};
}
struct Before {
  const char* text;
};
/// Of a field that was added later: what it was before.
constexpr Before before(const char* text) {
  return {text};
}
struct ShownDefault {
  std::string text;
};
/// Of a field whose default is not its value.
inline ShownDefault shown_default(std::string text) {
  return {std::move(text)};
}
struct ByModel {};
constexpr ByModel kByModel{};
struct Bytes {};
/// A whole number that people write as "9GB".
constexpr Bytes kBytes{};
struct Required {};
constexpr Required kRequired{};
struct UntoldDefault {};
/// The help says the default in words.
constexpr UntoldDefault kUntoldDefault{};

inline void set(Field& field, const char* help) {
  field.help = help;
}
inline void set(Field& field, const Range& range) {
  field.range = range;
}
inline void set(Field& field, Option option) {
  field.option = option.names;
}
inline void set(Field& field, FormerOption former) {
  field.former_option = former.name;
}
inline void set(Field& field, FormerName former) {
  field.former_name = former.name;
}
inline void set(Field& field, SwitchedOffBy by) {
  field.option = by.name;
  field.switched_off = true;
}
inline void set(Field& field, Group group) {
  field.group = group.name;
}
inline void set(Field& field, TypeName type) {
  field.type = type.name;
}
inline void set(Field& field, Needs needs) {
  field.needs = needs.option;
}
inline void set(Field& field, Expected expected) {
  field.expected = expected.text;
}
inline void set(Field& field, None none) {
  field.none = none.word;
}
inline void set(Field& field, Sides sides) {
  field.width = sides.width;
  field.height = sides.height;
}
inline void set(Field& field, Before before) {
  field.before = before.text;
}
inline void set(Field& field, const ShownDefault& shown) {
  field.default_text = shown.text;
}
inline void set(Field& field, ByModel /*trait*/) {
  field.by_model = true;
}
inline void set(Field& field, Bytes /*trait*/) {
  field.bytes = true;
}
inline void set(Field& field, Required /*trait*/) {
  field.required = true;
}
inline void set(Field& field, UntoldDefault /*trait*/) {
  field.shows_default = false;
}

template <typename... Traits>
Field make_field(const char* name, const Traits&... traits) {
  Field field{name};
  (set(field, traits), ...);
  return field;
}

// ---- some of the fields

using Filter = std::function<bool(const Field& field)>;

Filter all_fields();
/// By their names.
Filter only(std::initializer_list<std::string_view> names);
Filter all_but(std::initializer_list<std::string_view> names);
/// Those that are kByModel.
Filter fields_of_models();

}  // namespace unianimate::fields
