#include "unianimate/server/page/page_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "unianimate/server/page/page_files.h"

namespace unianimate::server {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace {

http::Response get(const std::string& path, std::vector<http::Header> headers = {}) {
  static const http::Router kRouter = [] {
    http::Router router;
    add_page_routes(router);
    return router;
  }();
  http::Request request;
  request.method = "GET";
  request.target = request.path = path;
  request.headers = std::move(headers);
  return kRouter.find(request).handle(request);
}

std::vector<std::string> found(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> all;
  for (std::sregex_iterator match(text.begin(), text.end(), regex); match != std::sregex_iterator(); ++match) {
    all.push_back((*match)[1]);
  }
  return all;
}

TEST(PageRoutes, TheFirstPageIsHtmlThatMayLoadNothingFromElsewhere) {
  const http::Response response = get("/");
  EXPECT_EQ(response.status(), 200);
  EXPECT_EQ(response.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(std::string(response.header("Content-Security-Policy").value_or("")), HasSubstr("default-src 'self'"));
  EXPECT_EQ(response.header("Referrer-Policy"), "no-referrer");
  EXPECT_THAT(response.text(), HasSubstr("<!doctype html>"));
}

TEST(PageRoutes, NeedNoTokenAndWaitForNobody) {
  http::Router router;
  add_page_routes(router);
  EXPECT_EQ(router.routes().size(), page_files().size());
  for (const http::Route& route : router.routes()) EXPECT_TRUE(route.open && route.at_once) << route.pattern;
}

TEST(PageRoutes, ABrowserThatHasAFileIsNotSentItAgain) {
  const std::string tag(get("/app.js").header("ETag").value_or(""));
  ASSERT_THAT(tag, Not(IsEmpty()));
  EXPECT_EQ(get("/app.js", {{"If-None-Match", tag}}).status(), 304);
  EXPECT_EQ(get("/app.js", {{"If-None-Match", "\"other\""}}).status(), 200);
}

TEST(PageRoutes, WhatFilesNameIsThere) {
  for (const PageFile& file : page_files()) {
    const std::string text(file.content);
    const bool script = file.name.ends_with(".js");
    if (!script && !file.name.ends_with(".html")) continue;
    const char* const pattern = script ? R"re((?:from|import) '\./([^']+)')re" : R"re((?:src|href)="([^"#]+)")re";
    for (const std::string& name : found(text, pattern)) EXPECT_EQ(get("/" + name).status(), 200) << file.name;
  }
}

TEST(PageRoutes, NoFileHasScriptsOrStylesThatThePolicyForbids) {
  for (const PageFile& file : page_files()) {
    const std::string text(file.content);
    if (file.name.ends_with(".html")) {
      EXPECT_THAT(found(text, R"re((<script>|<style|\son[a-z]+=|\sstyle=))re"), IsEmpty());
    } else if (file.name.ends_with(".js")) {
      EXPECT_THAT(found(text, R"re((innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?://))re"),
                  IsEmpty())
          << file.name;
    }
  }
}

}  // namespace

}  // namespace unianimate::server
