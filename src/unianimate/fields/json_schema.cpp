#include "unianimate/fields/json_schema.h"

#include <cmath>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace unianimate::fields {

using nlohmann::ordered_json;

namespace {

constexpr double kLargestExact = 9'007'199'254'740'991;

ordered_json bound(double value, bool whole) {
  return whole ? ordered_json(static_cast<std::int64_t>(value)) : ordered_json(value);
}

void add_range(const Range& range, bool whole, double lowest, double highest, ordered_json& schema) {
  const double low = std::max(range.lowest, lowest);
  const double high = std::min(range.highest, highest);
  if (std::isfinite(low)) {
    schema[range.without_lowest && low == range.lowest ? "exclusiveMinimum" : "minimum"] = bound(low, whole);
  }
  if (std::isfinite(high)) {
    schema[range.without_highest && high == range.highest ? "exclusiveMaximum" : "maximum"] = bound(high, whole);
  }
}

ordered_json object_schema() {
  return {{"type", "object"}, {"properties", ordered_json::object()}, {"additionalProperties", false}};
}

ordered_json text_schema() {
  return {{"type", "string"}};
}

/// Of one value, with what it is now as the default.
struct ValueSchema {
  const Field& field;

  ordered_json operator()(const bool* value) const { return {{"type", "boolean"}, {"default", *value}}; }
  template <std::integral T>
  ordered_json operator()(const T* value) const {
    ordered_json schema{{"type", "integer"}, {"default", *value}};
    const auto lowest = static_cast<double>(std::numeric_limits<T>::lowest());
    const auto highest = static_cast<double>(std::numeric_limits<T>::max());
    add_range(field.range, true, std::max(lowest, -kLargestExact), std::min(highest, kLargestExact), schema);
    return schema;
  }
  ordered_json operator()(const double* value) const {
    constexpr double kAny = std::numeric_limits<double>::infinity();
    ordered_json schema{{"type", "number"}, {"default", *value}};
    add_range(field.range, false, -kAny, kAny, schema);
    return schema;
  }
  ordered_json operator()(const std::string* value) const { return {{"type", "string"}, {"default", *value}}; }
  ordered_json operator()(const std::filesystem::path* /*value*/) const { return text_schema(); }
  ordered_json operator()(const SizeValue& size) const {
    return {{"type", "string"}, {"pattern", "^[0-9]{1,5}x[0-9]{1,5}$"}, {"default", value_text(size)}};
  }
  ordered_json operator()(const TextValue* value) const {
    ordered_json schema = text_schema();
    if (const auto words = value->words(); !words.empty()) schema["enum"] = words;
    schema["default"] = value->text();
    return schema;
  }
  ordered_json operator()(const std::vector<std::int64_t>* value) const {
    return {{"type", "array"}, {"items", {{"type", "integer"}}}, {"default", *value}};
  }
  ordered_json operator()(const std::vector<std::filesystem::path>* /*value*/) const {
    return {{"type", "array"}, {"items", text_schema()}};
  }
  ordered_json operator()(const std::map<std::string, std::string>* value) const {
    return {{"type", "object"}, {"additionalProperties", text_schema()}, {"default", *value}};
  }
};

}  // namespace

JsonSchema::JsonSchema(Filter filter) : filter_(std::move(filter)), open_{{"", Field{""}, false, object_schema()}} {}

void JsonSchema::add(const char* name, const Field& field, ordered_json schema, bool nullable) {
  if (nullable) {
    schema["type"] = {schema["type"], "null"};
    if (schema.contains("enum")) schema["enum"].push_back(nullptr);
  }
  if (field.help != nullptr) schema["description"] = field.help;
  if (std::string_view(field.group) != Field{""}.group) schema["x-group"] = field.group;
  open_.back().schema["properties"][name] = std::move(schema);
}

void JsonSchema::take(const Field& field, const Value& value, bool* present) {
  if (!filter_(field)) return;
  if (const auto* const size = std::get_if<SizeValue>(&value); size != nullptr && field.width != nullptr) {
    add(field.width, field, ValueSchema{field}(static_cast<const int*>(size->width)), false);
    add(field.height, field, ValueSchema{field}(static_cast<const int*>(size->height)), false);
    return;
  }
  ordered_json schema = std::visit([&](const auto& held) { return ValueSchema{field}(held); }, value);
  if (present != nullptr && !*present) schema["default"] = nullptr;
  add(field.name, field, std::move(schema), present != nullptr);
}

bool JsonSchema::enter(const Field& field, bool* present) {
  if (!filter_(field)) return false;
  open_.push_back({field.name, field, present != nullptr, object_schema()});
  return true;
}

void JsonSchema::leave() {
  Open done = std::move(open_.back());
  open_.pop_back();
  if (done.name == nullptr) {
    open_.back().schema["items"] = std::move(done.schema);
  } else {
    add(done.name, done.field, std::move(done.schema), done.nullable);
  }
}

std::optional<std::size_t> JsonSchema::begin_list(const Field& field, std::size_t /*size*/) {
  if (!filter_(field)) return std::nullopt;
  open_.push_back({field.name, field, false, {{"type", "array"}}});
  return 1;
}

void JsonSchema::enter_item(std::size_t /*index*/) {
  open_.push_back({nullptr, Field{""}, false, object_schema()});
}

void JsonSchema::end_list() {
  leave();
}

}  // namespace unianimate::fields
