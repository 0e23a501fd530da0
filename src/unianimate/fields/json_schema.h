// Structs of settings as JSON Schemas (2020-12), so that what is said of a field is said to clients, too.
#pragma once

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "unianimate/fields/archive.h"

namespace unianimate::fields {

/// An object whose properties are the fields as JsonReader reads them: with type, range, words, help and the present
/// value as the default; "x-group" is that of the command line's help. None has to be there, and no others may. Whole
/// numbers end at 2^53 − 1, which all programs read exactly.
class JsonSchema final : public Archive {
 public:
  explicit JsonSchema(Filter filter = all_fields());

  [[nodiscard]] const nlohmann::ordered_json& schema() const { return open_.front().schema; }

 private:
  void take(const Field& field, const Value& value, bool* present) override;
  bool enter(const Field& field, bool* present) override;
  void leave() override;
  std::optional<std::size_t> begin_list(const Field& field, std::size_t size) override;
  void enter_item(std::size_t index) override;
  void end_list() override;

  void add(const char* name, const Field& field, nlohmann::ordered_json schema, bool nullable);

  /// A section, or a list whose first element tells what all are like.
  struct Open {
    const char* name;
    Field field;
    bool nullable;
    nlohmann::ordered_json schema;
  };

  Filter filter_;
  std::vector<Open> open_;
};

template <Listed T>
nlohmann::ordered_json json_schema(const T& defaults = {}, const Filter& filter = all_fields()) {
  T copy = defaults;
  JsonSchema archive(filter);
  visit(archive, copy);
  return archive.schema();
}

}  // namespace unianimate::fields
