#include "unianimate/server/http/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unianimate/server/http/event_stream.h"

namespace unianimate::http {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Responses, RefuseHeadersThatWouldBeginOthers) {
  Response response;
  for (const char* value : {"a\r\nSet-Cookie: b", "a\n", "a\r", "\x7f", "a\tb"}) {
    EXPECT_THROW(response.set("X-Name", value), std::invalid_argument) << value;
    EXPECT_THROW(response.add("X-Name", value), std::invalid_argument) << value;
  }
  EXPECT_THROW(response.set("X-Name", std::string_view("a\0b", 3)), std::invalid_argument);
  for (const char* name : {"", "X Name", "X:", "X\r\nY"}) EXPECT_THROW(response.set(name, "a"), std::invalid_argument);
  EXPECT_TRUE(response.headers().empty());
}

TEST(Responses, HaveOneHeaderOfAName) {
  Response response;
  response.set("ETag", "1");
  response.set("etag", "2");
  response.add("Vary", "a");
  response.add("Vary", "b");
  EXPECT_EQ(response.headers().size(), 3U);
  EXPECT_EQ(response.header("ETAG"), "2");
}

TEST(Requests, GiveAHeaderThatStandsThereOnce) {
  Request request;
  request.headers = {{"Host", "a"}, {"X-One", "1"}, {"host", "b"}};
  EXPECT_EQ(request.header("x-one"), "1");
  EXPECT_EQ(request.header("Host"), std::nullopt);
  EXPECT_EQ(request.header_count("HOST"), 2U);
}

TEST(Requests, GiveCookies) {
  Request request;
  request.headers = {{"Cookie", "a=1; session=x=y ;b=2;c"}};
  EXPECT_EQ(request.cookie("session"), "x=y");
  EXPECT_EQ(request.cookie("a"), "1");
  EXPECT_EQ(request.cookie("c"), std::nullopt);
  request.headers = {{"Cookie", "session=1; session=2"}};
  EXPECT_EQ(request.cookie("session"), std::nullopt);
}

TEST(Requests, SplitTheirTarget) {
  Request request;
  request.target = "/jobs/a%20b?wait=5&label=x+y%26z&flag&=2";
  ASSERT_TRUE(split_target(request));
  EXPECT_EQ(request.path, "/jobs/a%20b");
  EXPECT_THAT(request.query, ElementsAre(Pair("wait", "5"), Pair("label", "x y&z"), Pair("flag", ""), Pair("", "2")));
  EXPECT_EQ(request.query_value("wait"), "5");
  EXPECT_EQ(request.query_value("none"), std::nullopt);
}

TEST(Requests, RefuseBrokenTargets) {
  for (const char* target :
       {"", "*", "http://other/", "jobs", "/a%", "/a%4", "/a%zz", "/a%00b", "/a%0d%0a", "/a?b=%", "/a?b=%0a", "/a#b"}) {
    Request request;
    request.target = target;
    EXPECT_FALSE(split_target(request)) << target;
  }
}

TEST(Problems, AreWrittenAsTheStandardHasThem) {
  Problem problem = make_problem(problems::kInvalidRequest, "settings.width is 500");
  problem.errors = {{"/settings/width", "it must be a multiple of 64"}};
  problem.headers = {{"Retry-After", "5"}};
  const Response response = problem_response(problem, "r1");
  EXPECT_EQ(response.status(), 422);
  EXPECT_EQ(response.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(response.header("Retry-After"), "5");
  EXPECT_EQ(nlohmann::json::parse(response.text()), nlohmann::json::parse(R"({
    "type": "/problems/invalid-request", "title": "The request is not valid", "status": 422,
    "detail": "settings.width is 500",
    "errors": [{"pointer": "/settings/width", "detail": "it must be a multiple of 64"}], "request_id": "r1"})"));
}

TEST(Problems, AreWrittenOfAnyBytes) {
  const Response response = problem_response(make_problem(problems::kNotFound, "\xff\"\n"), "r1");
  EXPECT_EQ(nlohmann::json::parse(response.text()).at("detail"), "\xEF\xBF\xBD\"\n");
}

TEST(Events, AreWrittenLineByLine) {
  EXPECT_EQ(event_text("job", "12", "{\"a\":1}"), "event: job\nid: 12\ndata: {\"a\":1}\n\n");
  EXPECT_EQ(event_text("queue", "", "a\nb\r\nc\rd"), "event: queue\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(event_text("reset", "", ""), "event: reset\ndata: \n\n");
  EXPECT_THROW(event_text("a\nb", "", ""), std::invalid_argument);
  EXPECT_THROW(event_text("a", "1\r", ""), std::invalid_argument);
}

}  // namespace
}  // namespace unianimate::http
