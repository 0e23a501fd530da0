// Structs of settings as JSON, and back.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unianimate/fields/archive.h"

namespace unianimate::fields {

/// What becomes of a field that an object does not have.
enum class Missing {
  kRefused,  ///< but for optional ones and those that were added later (before())
  kLeft,     ///< as it is in the struct
};

/// Where an object stands, for messages.
struct JsonPlace {
  std::string file;       ///< empty where the message says it already
  std::string path = {};  ///< "defaults"; empty for the whole file
};

class JsonReader final : public Archive {
 public:
  /// The object has to outlive this. Only what the filter lets through may be there.
  JsonReader(const nlohmann::json& object, JsonPlace place, Missing missing, Filter filter = all_fields());

  /// A key that is none of the struct's fields and is passed over.
  void pass_over(std::string key);
  /// To be called after the visit: throws for keys that name no field.
  void finish() const;

 private:
  /// An object that is gone through, or a list.
  struct Open {
    const nlohmann::json* json;
    std::string path;                ///< "request.chain", empty for the whole
    std::vector<std::string> known;  ///< keys that were asked for
  };

  void take(const Field& field, const Value& value, bool* present) override;
  bool enter(const Field& field, bool* present) override;
  void leave() override;
  std::optional<std::size_t> begin_list(const Field& field, std::size_t size) override;
  void enter_item(std::size_t index) override;
  void end_list() override;

  /// The value of a key of the object that is open; null where it may be missing and is.
  const nlohmann::json* find(const char* key, const Field& field, bool may_be_missing);
  void open(const nlohmann::json& object, std::string path);
  void refuse_unknown(const Open& open) const;
  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] std::string where(const std::string& path) const;

  std::string name_;
  Missing missing_;
  Filter filter_;
  std::vector<Open> open_;
};

/// Throws Error(kInput) that names the file, the field, what was expected and what was found, for a value of the wrong
/// type or out of range and for a field that is missing where it may not be; Error(kUsage) for an unknown one.
template <Listed T>
void read_json(const nlohmann::json& object, const JsonPlace& place, T& settings, Missing missing,
               const Filter& filter = all_fields()) {
  JsonReader reader(object, place, missing, filter);
  visit(reader, settings);
  reader.finish();
}

class JsonWriter final : public Archive {
 public:
  explicit JsonWriter(Filter filter = all_fields()) : filter_(std::move(filter)) {}

  /// What the visit has written.
  [[nodiscard]] const nlohmann::ordered_json& object() const { return root_; }

 private:
  void take(const Field& field, const Value& value, bool* present) override;
  bool enter(const Field& field, bool* present) override;
  void leave() override;
  std::optional<std::size_t> begin_list(const Field& field, std::size_t size) override;
  void enter_item(std::size_t index) override;
  void end_list() override;

  [[nodiscard]] nlohmann::ordered_json& open() { return open_.empty() ? root_ : open_.back().value; }

  /// A section, an element of a list or a list that is not finished.
  struct Open {
    std::string key;  ///< in what is around it; empty for an element
    nlohmann::ordered_json value;
  };

  Filter filter_;
  nlohmann::ordered_json root_ = nlohmann::ordered_json::object();
  std::vector<Open> open_;
};

/// An object with all fields in the order of the visit; null where an optional one has no value.
template <Listed T>
nlohmann::ordered_json write_json(const T& settings, const Filter& filter = all_fields()) {
  T copy = settings;
  JsonWriter writer(filter);
  visit(writer, copy);
  return writer.object();
}

}  // namespace unianimate::fields
