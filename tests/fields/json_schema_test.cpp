#include "unianimate/fields/json_schema.h"

#include <gtest/gtest.h>

#include "fields/sample_settings.h"

namespace unianimate::fields {
namespace {

using nlohmann::json;
using testing::Trip;

/// As a document has it.
json property(const char* name) {
  return json::parse(json_schema<Trip>().at("properties").at(name).dump());
}

TEST(Schemas, SayWhatIsSaidOfFields) {
  EXPECT_EQ(property("days"), json::parse(R"({"type": "integer", "default": 3, "minimum": 1, "maximum": 99,
                                              "description": "How long"})"));
  EXPECT_EQ(property("people").at("type"), json::parse(R"(["integer", "null"])"));
  EXPECT_EQ(property("seed").at("maximum"), 9'007'199'254'740'991);
  EXPECT_EQ(property("seed").at("minimum"), 0);
  EXPECT_EQ(property("budget"), json::parse(R"({"type": "number", "default": 2.5, "minimum": 0.0,
                                                "description": "How dear"})"));
  EXPECT_EQ(property("width").at("default"), 512);
  EXPECT_EQ(property("height").at("maximum"), 4096);
  EXPECT_EQ(property("tent").at("pattern"), "^[0-9]{1,5}x[0-9]{1,5}$");
  EXPECT_EQ(property("weather").at("enum"), json::parse(R"(["sun", "rain", "snow"])"));
  EXPECT_EQ(property("slope").at("default"), nullptr);
  EXPECT_EQ(property("fire").at("type"), "boolean");
  EXPECT_EQ(property("stages"), json::parse(R"({"type": "array", "items": {"type": "integer"}, "default": [1, 2]})"));
  EXPECT_EQ(property("phones").at("additionalProperties"), json::parse(R"({"type": "string"})"));
}

TEST(Schemas, HaveSectionsAndListsInside) {
  EXPECT_EQ(property("first").at("properties").at("miles").at("maximum"), 30);
  EXPECT_EQ(property("first").at("additionalProperties"), false);
  EXPECT_EQ(property("second").at("type"), json::parse(R"(["object", "null"])"));
  EXPECT_EQ(property("second").at("description"), "Go on");
  EXPECT_EQ(property("stops").at("items").at("properties").at("hours").at("exclusiveMinimum"), 0.0);
}

TEST(Schemas, KeepToTheFilter) {
  const auto schema = json_schema<Trip>({}, only({"days", "dogs"}));
  EXPECT_EQ(schema.at("properties").size(), 2U);
  EXPECT_EQ(schema.at("additionalProperties"), false);
}

}  // namespace
}  // namespace unianimate::fields
