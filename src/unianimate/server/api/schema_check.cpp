#include "unianimate/server/api/schema_check.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/json_text.h"
#include "unianimate/server/http/message.h"

namespace unianimate::server {

using nlohmann::json;

namespace {

using Adapter = valijson::adapters::NlohmannJsonAdapter;

constexpr int kDeepest = 32;

/// What "$ref" leads to.
const json& resolved(const json& schema, const json& document) {
  const auto reference = schema.find("$ref");
  if (reference == schema.end()) return schema;
  return resolved(document.at(json::json_pointer(reference->get<std::string>().substr(1))), document);
}

/// The schema of the part at this place; null where none is said.
const json* schema_at(const json& whole, const json& document, const std::vector<std::string>& steps) {
  const json* schema = &resolved(whole, document);
  for (const std::string& step : steps) {
    const bool inside = schema->contains("properties") && schema->at("properties").contains(step);
    if (!inside && !schema->contains("items")) return nullptr;
    schema = &resolved(inside ? schema->at("properties").at(step) : schema->at("items"), document);
  }
  return schema;
}

/// "a whole number from 1 to 1000", of a schema that is not of an object.
std::string expectation(const json& schema) {
  if (const auto words = schema.find("enum"); words != schema.end()) {
    std::vector<std::string> texts;
    for (const json& word : *words) texts.push_back(word.dump());
    return fmt::format("one of {}", fmt::join(texts, ", "));
  }
  static const std::map<std::string, std::string> kTypes{
      {"boolean", "true or false"}, {"integer", "a whole number"}, {"number", "a number"}, {"string", "a text"},
      {"array", "a list"},          {"object", "an object"},       {"null", "null"}};
  const json types = schema.value("type", json::array());
  std::vector<std::string> names;
  for (const json& type : types.is_array() ? types : json::array({types})) names.push_back(kTypes.at(type));
  std::string text = fmt::format("{}", fmt::join(names, " or "));
  for (const auto& [key, says] :
       {std::pair("minimum", "at least"), std::pair("exclusiveMinimum", "above"), std::pair("maximum", "at most"),
        std::pair("exclusiveMaximum", "below"), std::pair("maxLength", "of characters at most"),
        std::pair("maxItems", "of items at most"), std::pair("pattern", "like")}) {
    if (schema.contains(key)) text += fmt::format(", {} {}", says, schema.at(key).dump());
  }
  return text;
}

/// {"<root>", "[settings]", "[loras]", "[0]"} -> {"settings", "loras", "0"}
std::vector<std::string> steps_of(const std::vector<std::string>& context) {
  std::vector<std::string> steps;
  for (std::size_t i = 1; i < context.size(); ++i) {
    const std::string& step = context[i];
    steps.push_back(step.size() > 2 ? step.substr(1, step.size() - 2) : step);
  }
  return steps;
}

std::string shown(const json& value) {
  constexpr std::size_t kLongest = 80;
  return printable(value.dump(-1, ' ', false, json::error_handler_t::replace), kLongest);
}

/// One for each part that does not fit, without what is around it and fails only for it.
std::vector<http::ProblemPart> parts_of(const valijson::ValidationResults& results, const json& body,
                                        const json& schema, const json& document) {
  std::vector<http::ProblemPart> parts;
  for (const auto& error : results) {
    if (error.description.starts_with("Failed to validate against schema")) continue;
    const std::vector<std::string> steps = steps_of(error.context);
    json::json_pointer pointer;
    for (const std::string& step : steps) pointer /= step;
    const json& found = body.at(pointer);
    const json* const expected = schema_at(schema, document, steps);
    const std::string name = steps.empty() ? "the body" : fmt::format("{}", fmt::join(steps, "."));
    std::string detail = expected == nullptr || found.is_object()
                             ? fmt::format("{}: {}", name, error.description)
                             : fmt::format("{} is {}; it must be {}", name, shown(found), expectation(*expected));
    parts.push_back({pointer.to_string(), printable(detail, detail.size())});
  }
  return parts;
}

/// 39.0 -> 39: for JSON Schema both are whole numbers. What has more digits than a double keeps stays as it is.
void write_whole_numbers(json& value) {
  constexpr double kLargest = 9'007'199'254'740'991;  // 2^53 - 1
  if (value.is_structured()) {
    for (json& part : value) write_whole_numbers(part);
  }
  if (!value.is_number_float()) return;
  const auto number = value.get<double>();
  if (std::abs(number) <= kLargest && std::trunc(number) == number) value = static_cast<std::int64_t>(number);
}

}  // namespace

struct SchemaCheck::Schemas {
  json document;
  std::map<std::string, valijson::Schema> by_name;
};

SchemaCheck::SchemaCheck(const json& document) : schemas_(std::make_unique<Schemas>()) {
  schemas_->document = document;
  const json& components = document.at("components");
  for (const auto& [name, unused] : components.at("schemas").items()) {
    const json root{{"$ref", fmt::format("#/components/schemas/{}", name)}, {"components", components}};
    valijson::SchemaParser parser;
    parser.populateSchema(Adapter(root), schemas_->by_name[name]);
  }
}

SchemaCheck::~SchemaCheck() = default;

void SchemaCheck::check(const json& body, const std::string& schema) const {
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  if (validator.validate(schemas_->by_name.at(schema), Adapter(body), &results)) return;
  http::Problem problem = http::make_problem(http::problems::kInvalidRequest, "");
  const json& document = schemas_->document;
  problem.errors = parts_of(results, body, document.at("components").at("schemas").at(schema), document);
  for (const http::ProblemPart& part : problem.errors) {
    if (!problem.detail.empty()) problem.detail += "; ";
    problem.detail += part.detail;
  }
  throw http::Refused(std::move(problem));
}

json parse_body(std::string_view body) {
  try {
    json parsed = parse_json(body, "the body", kDeepest);
    write_whole_numbers(parsed);
    return parsed;
  } catch (const Error& error) {
    throw http::Refused(http::problems::kInvalidJson, error.what());
  }
}

}  // namespace unianimate::server
