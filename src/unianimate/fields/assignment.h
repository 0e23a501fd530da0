// Some fields of a struct given as text: "steps=12 timesteps=991-40".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unianimate/fields/archive.h"

namespace unianimate::fields {

struct Assignment {
  std::string field;  ///< its name, or that of its option without the dashes
  std::string text;
};

/// Of words "field=text" with spaces between. Throws Error(kUsage).
std::vector<Assignment> parse_assignments(std::string_view text);

/// Takes the fields that are assigned and leaves the others as they are. Sections are gone through where they are
/// there.
class AssignmentReader final : public Archive {
 public:
  /// Of fields that pass the filter. `assignments` must outlive this.
  explicit AssignmentReader(const std::vector<Assignment>& assignments, Filter filter = all_fields());

  /// Throws Error(kUsage) where a field was not met.
  void require_all() const;
  /// What was assigned as options of the command line: "--steps 12 --timesteps 991-40".
  [[nodiscard]] std::string options() const;

 private:
  void take(const Field& field, const Value& value, bool* present) override;
  bool enter(const Field& field, bool* present) override;
  void leave() override {}
  std::optional<std::size_t> begin_list(const Field& field, std::size_t size) override;
  void enter_item(std::size_t index) override;
  void end_list() override {}

  struct Item {
    const Assignment& assignment;
    std::string option;  ///< empty: not met yet
  };
  std::vector<Item> items_;
  std::vector<std::string> off_;  ///< options that would turn parts of the settings on
  Filter filter_;
};

/// Puts the texts into those fields that pass the filter. Throws Error(kUsage) that names the field, also where there
/// is none of that name.
template <Listed T>
void assign(T& settings, const std::vector<Assignment>& assignments, const Filter& filter = all_fields()) {
  AssignmentReader reader(assignments, filter);
  visit(reader, settings);
  reader.require_all();
}

/// The same assignments as options: "--steps 12 --timesteps 991-40".
template <Listed T>
std::string option_text(const std::vector<Assignment>& assignments) {
  T settings;
  AssignmentReader reader(assignments);
  visit(reader, settings);
  return reader.options();
}

}  // namespace unianimate::fields
