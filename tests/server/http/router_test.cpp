#include "unianimate/server/http/router.h"

#include <gtest/gtest.h>

namespace unianimate::http {
namespace {

Router some_routes() {
  Router router;
  for (const auto& [method, pattern] :
       std::vector<std::pair<const char*, const char*>>{{"GET", "/"},
                                                        {"GET", "/jobs"},
                                                        {"POST", "/jobs"},
                                                        {"GET", "/jobs/{id}"},
                                                        {"DELETE", "/jobs/{id}"},
                                                        {"GET", "/jobs/{id}/poses/{name}"}}) {
    router.add({.method = method, .pattern = pattern});
  }
  return router;
}

Request request_of(const std::string& method, const std::string& path) {
  Request request;
  request.method = method;
  request.path = path;
  return request;
}

Problem routing_problem(const std::string& method, const std::string& path) {
  Request request = request_of(method, path);
  try {
    some_routes().find(request);
  } catch (const Refused& refused) {
    return refused.problem();
  }
  ADD_FAILURE() << method << " " << path << " is found";
  return {};
}

TEST(Routes, AreFoundByMethodAndPath) {
  const Router router = some_routes();
  for (const auto& [method, path, pattern] :
       std::vector<std::tuple<const char*, const char*, const char*>>{{"GET", "/", "/"},
                                                                      {"HEAD", "/jobs", "/jobs"},
                                                                      {"POST", "/jobs", "/jobs"},
                                                                      {"GET", "/%6aobs", "/jobs"},
                                                                      {"DELETE", "/jobs/j1", "/jobs/{id}"}}) {
    Request request = request_of(method, path);
    EXPECT_EQ(router.find(request).pattern, pattern) << path;
  }
}

TEST(Routes, GiveTheirParametersDecoded) {
  Request request = request_of("GET", "/jobs/j%2F1/poses/..%20");
  some_routes().find(request);
  EXPECT_EQ(request.parameter("id"), "j/1");
  EXPECT_EQ(request.parameter("name"), ".. ");
  EXPECT_THROW((void)request.parameter("other"), std::out_of_range);
}

TEST(Routes, ThatAreNotThereAreSaidSo) {
  for (const char* path : {"/job", "/jobs/", "//", "/jobs/j1/", "/jobs/j1/poses", "/jobs/j1/poses/a/b", "/JOBS"}) {
    const Problem problem = routing_problem("GET", path);
    EXPECT_EQ(problem.type, "not-found") << path;
    EXPECT_EQ(problem.status, 404) << path;
  }
}

TEST(Routes, TellWhichMethodsTheyTake) {
  for (const char* method : {"PUT", "QUERY", "get", "", "TRACE"}) {
    const Problem problem = routing_problem(method, "/jobs");
    EXPECT_EQ(problem.type, "method-not-allowed") << method;
    EXPECT_EQ(problem.headers.at(0).value, "GET, HEAD, OPTIONS, POST") << method;
  }
  EXPECT_EQ(some_routes().allowed("/jobs/j1"), "DELETE, GET, HEAD, OPTIONS");
  EXPECT_EQ(some_routes().allowed("/nothing"), "");
}

}  // namespace
}  // namespace unianimate::http
