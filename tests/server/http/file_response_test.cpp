#include "unianimate/server/http/file_response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "server/http/client.h"
#include "support/temporary_folder.h"

namespace unianimate::http {
namespace {

using testing::Answer;
using testing::request_text;
using testing::TestServer;

class Files : public ::testing::Test {
 protected:
  Files() {
    for (int i = 0; i < 200'000; ++i) content_.push_back(static_cast<char>(i * 7 % 251));
    std::ofstream(file_) << content_;
  }

  [[nodiscard]] Route route() const {
    return {.method = "GET", .pattern = "/file", .open = true, .handle = [this](const Request& request) {
              return file_response(request, {file_, "video/mp4", "abc", "düne\r\n\".mp4", true});
            }};
  }

  unianimate::testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "video.mp4";
  std::string content_;
};

TEST_F(Files, AreSentWhole) {
  TestServer server({}, {route()});
  const Answer answer = server.ask(request_text("GET", "/file"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, content_);
  EXPECT_EQ(answer.headers.at("content-type"), "video/mp4");
  EXPECT_EQ(answer.headers.at("etag"), "\"abc\"");
  EXPECT_EQ(answer.headers.at("accept-ranges"), "bytes");
  EXPECT_EQ(answer.headers.at("content-security-policy"), "sandbox");
  EXPECT_EQ(answer.headers.at("content-disposition"),
            "attachment; filename=\"d__ne___.mp4\"; filename*=UTF-8''d%C3%BCne%0D%0A%22.mp4");
  const Answer head = server.ask(request_text("HEAD", "/file"));
  EXPECT_EQ(head.headers.at("content-length"), "200000");
}

TEST_F(Files, AreSentInPart) {
  TestServer server({}, {route()});
  const auto part = [&](const std::string& headers) { return server.ask(request_text("GET", "/file", headers)); };
  const Answer answer = part("Range: bytes=70000-140000\r\n");
  EXPECT_EQ(answer.status, 206);
  EXPECT_EQ(answer.headers.at("content-range"), "bytes 70000-140000/200000");
  EXPECT_EQ(answer.body, content_.substr(70'000, 70'001));
  EXPECT_EQ(part("Range: bytes=0-1,5-6\r\n").status, 200);
  EXPECT_EQ(part("Range: bytes=-1\r\n").body, content_.substr(199'999));
  EXPECT_EQ(part("Range: bytes=0-1\r\nIf-Range: \"abc\"\r\n").status, 206);
  EXPECT_EQ(part("Range: bytes=0-1\r\nIf-Range: \"old\"\r\n").status, 200);
  EXPECT_EQ(part("Range: bytes=0-1\r\nIf-Range: W/\"abc\"\r\n").status, 200);
  EXPECT_EQ(part("Range: bytes=0-1\r\nRange: bytes=0-2\r\n").status, 200);
  const Answer beyond = part("Range: bytes=200000-\r\n");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.at("content-range"), "bytes */200000");
}

TEST_F(Files, AreNotSentAgain) {
  TestServer server({}, {route()});
  for (const auto& [tags, status] : std::vector<std::pair<std::string, int>>{{"\"abc\"", 304},
                                                                             {"W/\"abc\"", 304},
                                                                             {"\"x\", \"abc\"", 304},
                                                                             {"*", 304},
                                                                             {"\"abcd\"", 200},
                                                                             {"abc", 200},
                                                                             {"x\"abc\"", 200}}) {
    const Answer answer = server.ask(request_text("GET", "/file", "If-None-Match: " + tags + "\r\n"));
    EXPECT_EQ(answer.status, status) << tags;
    EXPECT_EQ(answer.headers.count("content-length"), status == 304 ? 0U : 1U);
  }
}

TEST_F(Files, ThatAreNotThereAreSaidSo) {
  const std::filesystem::path link = folder_.path() / "link";
  std::filesystem::create_symlink(file_, link);
  for (const auto& path : std::vector<std::filesystem::path>{folder_ / "none", folder_.path(), link}) {
    try {
      file_response({}, {path, "video/mp4", "abc", ""});
      FAIL() << path;
    } catch (const Refused& refused) {
      EXPECT_EQ(refused.problem().type, "not-found");
      EXPECT_EQ(refused.problem().detail.find(folder_.path().string()), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace unianimate::http
