#include "unianimate/server/api/schema_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unianimate/server/api/document.h"
#include "unianimate/server/http/message.h"

namespace unianimate::server {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kAnimation =
    R"({"kind":"animate","reference":"a00000000000000000000","motion":"a00000000000000000001"})";

/// Pointers and sentences; empty for what fits.
std::map<std::string, std::string> problems_of(const json& body, const std::string& schema = "AnimateRequest") {
  static const SchemaCheck kCheck(openapi_document());
  std::map<std::string, std::string> parts;
  try {
    kCheck.check(body, schema);
  } catch (const http::Refused& refused) {
    EXPECT_EQ(refused.problem().status, 422);
    for (const auto& part : refused.problem().errors) parts[part.pointer] = part.detail;
  }
  return parts;
}

std::map<std::string, std::string> settings_problems(const char* settings) {
  json body = json::parse(kAnimation);
  body["settings"] = json::parse(settings);
  return problems_of(body);
}

TEST(BodySchemas, TakeWhatFits) {
  EXPECT_TRUE(problems_of(json::parse(kAnimation)).empty());
  EXPECT_TRUE(settings_problems(R"({"steps":12,"seed":9007199254740991,"frames":null,"size":"512x768","chain":
      {"segment_size":8},"context_schedule":"even","audio":"none","preset":"draft"})")
                  .empty());
}

TEST(BodySchemas, SayWhichPartDoesNotFitAndWhatItMustBe) {
  const auto problems = settings_problems(R"({"steps":5000,"seed":-1,"frames":"all","context_schedule":"odd"})");
  EXPECT_EQ(problems.at("/settings/steps"),
            "settings.steps is 5000; it must be a whole number, at least 1, at most 1000");
  EXPECT_THAT(problems.at("/settings/seed"), HasSubstr("at least 0"));
  EXPECT_THAT(problems.at("/settings/frames"), HasSubstr("a whole number or null"));
  EXPECT_THAT(problems.at("/settings/context_schedule"), HasSubstr("one of \"published\""));
  EXPECT_EQ(problems.size(), 4U);
}

TEST(BodySchemas, TakeWholeNumbersAsJsonSchemaDoes) {
  const json body =
      parse_body(R"({"settings":{"steps":12.0,"seed":1e3,"guidance_scale":2.5,"width":-0.0},"more":[1e300]})");
  EXPECT_EQ(body.dump(), R"({"more":[1e+300],"settings":{"guidance_scale":2.5,"seed":1000,"steps":12,"width":0}})");
}

TEST(BodySchemas, RefuseWhatTheyDoNotKnow) {
  EXPECT_THAT(settings_problems(R"({"output":"/etc/passwd"})").at("/settings"), HasSubstr("'output'"));
  EXPECT_EQ(problems_of(json::parse("[]")).count(""), 1U);
  EXPECT_EQ(problems_of(json::parse(R"({"kind":"animate"})")).count(""), 1U);
}

TEST(BodySchemas, GiveNoPathsAway) {
  for (const char* name : {"reference", "poses", "motion", "output", "saved_poses", "folder"}) {
    const json body{{name, "/etc/passwd"}};
    EXPECT_FALSE(settings_problems(body.dump().c_str()).empty()) << name;
  }
}

TEST(Bodies, AreReadStrictly) {
  EXPECT_EQ(parse_body(R"({"a":[1]})"), json::parse(R"({"a":[1]})"));
  for (const std::string& body : {std::string(), std::string("{"), std::string("{\"a\":1,\"a\":2}"),
                                  std::string(100, '[') + std::string(100, ']')}) {
    try {
      parse_body(body);
      ADD_FAILURE() << body;
    } catch (const http::Refused& refused) {
      EXPECT_EQ(refused.problem().type, "invalid-json");
    }
  }
}

}  // namespace
}  // namespace unianimate::server
