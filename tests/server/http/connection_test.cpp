#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <nlohmann/json.hpp>

#include "server/http/client.h"
#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define UNIANIMATE_SANITIZED
#endif
#endif

namespace unianimate::http {
namespace {

using std::chrono::milliseconds;
using testing::Answer;
using testing::Client;
using ::testing::HasSubstr;
using testing::request_text;
using testing::TestServer;

std::string problem_of(const Answer& answer) {
  if (answer.headers.count("content-type") == 0 || answer.headers.at("content-type") != "application/problem+json") {
    return "none";
  }
  const auto problem = nlohmann::json::parse(answer.body);
  EXPECT_EQ(problem.at("status"), answer.status);
  EXPECT_EQ(problem.at("request_id"), answer.headers.at("x-request-id"));
  return problem.at("type").get<std::string>().substr(std::string_view("/problems/").size());
}

TEST(Connections, AnswerRequests) {
  TestServer server;
  const Answer answer = server.ask(request_text("GET", "/hello?name=me"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello me");
  EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(answer.headers.at("cache-control"), "no-store");
  EXPECT_EQ(answer.headers.at("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
  EXPECT_EQ(answer.headers.at("x-request-id").size(), 16U);
  EXPECT_EQ(answer.headers.count("access-control-allow-origin"), 0U);
}

TEST(Connections, AnswerSeveralRequestsThatCameAtOnce) {
  TestServer server;
  Client client(server.port());
  client.send(request_text("GET", "/hello?name=1") +
              request_text("POST", "/json", "Content-Type: application/json\r\n", "{}") +
              request_text("HEAD", "/hello") + request_text("GET", "/nothing") + request_text("GET", "/hello?name=2"));
  EXPECT_EQ(client.read_answer().body, "hello 1");
  EXPECT_EQ(client.read_answer().body, "got {}");
  const Answer head = client.read_answer(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "9");
  EXPECT_EQ(problem_of(client.read_answer()), "unauthorized");
  EXPECT_EQ(client.read_answer().body, "hello 2");
}

TEST(Connections, EndWhereTheClientWantsIt) {
  TestServer server;
  Client client(server.port());
  client.send(request_text("GET", "/hello", "Connection: close\r\n"));
  EXPECT_EQ(client.read_answer().headers.at("connection"), "close");
  EXPECT_EQ(client.read_to_end(), "");
  Client old(server.port());
  old.send("GET /hello HTTP/1.0\r\nHost: test\r\n\r\n");
  EXPECT_THAT(old.read_to_end(), HasSubstr("hello you"));
}

TEST(Connections, AskForTheToken) {
  TestServer server;
  EXPECT_EQ(problem_of(server.ask(request_text("GET", "/secret"))), "unauthorized");
  EXPECT_EQ(server.ask(request_text("GET", "/secret", "Authorization: Bearer token\r\n")).body, "secret");
  EXPECT_EQ(problem_of(server.ask("GET /hello HTTP/1.1\r\nHost: other\r\n\r\n")), "wrong-host");
  EXPECT_EQ(problem_of(server.ask(request_text("GET", "/hello", "Origin: http://evil.example\r\n"))), "cross-origin");
}

TEST(Connections, LetPagesOfAllowedOriginsReadTheirAnswers) {
  TestServer server;
  const Answer answer = server.ask(request_text("GET", "/hello", "Origin: https://friend.example\r\n"));
  EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "https://friend.example");
  EXPECT_EQ(answer.headers.at("vary"), "Origin");
  EXPECT_EQ(answer.headers.count("access-control-allow-credentials"), 0U);
  const Answer asked = server.ask(
      request_text("OPTIONS", "/json", "Origin: https://friend.example\r\nAccess-Control-Request-Method: POST\r\n"));
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(asked.headers.at("allow"), "OPTIONS, POST");
  EXPECT_EQ(asked.headers.at("access-control-allow-methods"), "OPTIONS, POST");
  EXPECT_EQ(asked.headers.count("content-length"), 0U);
  const Answer own = server.ask(request_text("OPTIONS", "/json", "Access-Control-Request-Method: POST\r\n"));
  EXPECT_EQ(own.headers.count("access-control-allow-methods"), 0U);
}

TEST(Connections, TellWhatIsNotThere) {
  TestServer server;
  const std::string token = "Authorization: Bearer token\r\n";
  EXPECT_EQ(problem_of(server.ask(request_text("GET", "/nothing", token))), "not-found");
  const Answer answer = server.ask(request_text("QUERY", "/hello", token));
  EXPECT_EQ(problem_of(answer), "method-not-allowed");
  EXPECT_EQ(answer.headers.at("allow"), "DELETE, GET, HEAD, OPTIONS");
  EXPECT_EQ(server.ask(request_text("DELETE", "/hello")).status, 204);
}

TEST(Connections, KeepFailuresToTheLog) {
  TestServer server;
  const Answer answer = server.ask(request_text("GET", "/broken"));
  EXPECT_EQ(problem_of(answer), "internal");
  EXPECT_EQ(answer.body.find("reason"), std::string::npos);
  server.stop();
  EXPECT_EQ(server.exchanges().at(0).failure, "the reason is for the log");
  EXPECT_EQ(server.exchanges().at(0).status, 500);
  EXPECT_EQ(server.exchanges().at(0).route, "/broken");
}

TEST(Connections, RefuseWhatIsNoHttp) {
  TestServer server;
  const std::vector<std::string> cases{
      "hello\r\n\r\n",
      "GET /hello HTTP/2.0\r\nHost: test\r\n\r\n",
      "GET /hello HTTP/1.1\r\nHost : test\r\n\r\n",
      "GET /hello HTTP/1.1\r\nHost: test\r\nX\r\n\r\n",
      request_text("GET", "/%00"),
      request_text("GET", "http://test/hello"),
      request_text("POST", "/json", "Content-Length: -1\r\n"),
      request_text("POST", "/json", "Content-Length: 1\r\nContent-Length: 2\r\n"),
      request_text("POST", "/json", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
      request_text("POST", "/json", "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
      request_text("POST", "/json", "Transfer-Encoding: gzip\r\n"),
      request_text("GET", "/hello", "", "a body"),
  };
  for (const std::string& text : cases) {
    const Answer answer = server.ask(text);
    EXPECT_EQ(problem_of(answer), "bad-request") << text;
    EXPECT_EQ(answer.headers.count("connection") == 0 ? "" : answer.headers.at("connection"), "close") << text;
  }
}

TEST(Connections, ReadChunkedBodies) {
  TestServer server;
  Client client(server.port());
  client.send(request_text("POST", "/json", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") +
              "3\r\n[1,\r\n2;extension=1\r\n2]\r\n0\r\nTrailer: x\r\n\r\n" + request_text("GET", "/hello"));
  EXPECT_EQ(client.read_answer().body, "got [1,2]");
  EXPECT_EQ(client.read_answer().body, "hello you");
}

TEST(Connections, RefuseChunksThatAreNone) {
  TestServer server;
  const std::vector<std::string> bodies{"ZZ\r\n[1]\r\n0\r\n\r\n", "2\r\n[1,2]\r\n0\r\n\r\n",
                                        "3;" + std::string(200'000, 'x') + "\r\n[1]\r\n0\r\n\r\n",
                                        "3\r\n[1]\r\nFFFFFFFFFFFFFFFFF\r\n"};
  for (const char* path : {"/json", "/upload"}) {
    for (const std::string& body : bodies) {
      const Answer answer = server.ask(
          request_text("POST", path, "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") + body);
      EXPECT_EQ(problem_of(answer), "bad-request") << path << " " << body.substr(0, 20);
      EXPECT_EQ(answer.headers.count("connection") == 0 ? "" : answer.headers.at("connection"), "close");
    }
  }
  server.stop();
  EXPECT_EQ(server.exchanges().size(), 2 * bodies.size());
}

TEST(Connections, LeaveSmallJsonAloneThatNobodyAskedFor) {
  TestServer server;
  const std::string type = "Content-Type: application/json\r\n";
  Client client(server.port());
  client.send(request_text("DELETE", "/hello", type, "{}") +
              request_text("DELETE", "/hello", type + "Transfer-Encoding: chunked\r\n") + "2\r\n{}\r\n0\r\n\r\n" +
              request_text("DELETE", "/hello", type, std::string(4096, ' ')) + request_text("GET", "/hello"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.read_answer().status, 204);
  EXPECT_EQ(client.read_answer().body, "hello you");
  EXPECT_EQ(problem_of(server.ask(request_text("DELETE", "/hello", type, std::string(4097, ' ')))), "too-large");
  EXPECT_EQ(problem_of(server.ask(request_text("DELETE", "/hello", type + "Transfer-Encoding: chunked\r\n") +
                                  "1001\r\n" + std::string(4097, ' ') + "\r\n0\r\n\r\n")),
            "too-large");
  EXPECT_EQ(problem_of(server.ask(request_text("DELETE", "/hello", "", "{}"))), "bad-request");
  EXPECT_EQ(problem_of(server.ask(request_text("GET", "/hello", type, "{}"))), "bad-request");
}

TEST(Connections, TakeJsonOnly) {
  TestServer server;
  for (const char* type : {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
                           "Content-Type: multipart/form-data; boundary=x\r\n"}) {
    EXPECT_EQ(problem_of(server.ask(request_text("POST", "/json", type, "{}"))), "unsupported-type") << type;
  }
  EXPECT_EQ(server.ask(request_text("POST", "/json", "Content-Type: Application/JSON; charset=utf-8\r\n", "{}")).status,
            200);
}

TEST(Limits, AreToldBeforeTheBodyIsRead) {
  TestServer server({.json_bytes = 100, .upload_bytes = 1000});
  // Nothing of these bodies is ever sent.
  Answer answer = server.ask(request_text("POST", "/upload", "Content-Length: 1001\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(problem_of(answer), "too-large");
  EXPECT_THAT(answer.body, HasSubstr("1000 bytes"));
  EXPECT_THAT(answer.body, HasSubstr("--max-upload"));
  answer = server.ask(request_text("POST", "/json", "Content-Type: application/json\r\nContent-Length: 101\r\n"));
  EXPECT_EQ(problem_of(answer), "too-large");
  EXPECT_THAT(answer.body, HasSubstr("100 bytes"));
  answer = server.ask(request_text("POST", "/upload", "Content-Length: 99999999999999999999\r\n"));
  EXPECT_EQ(problem_of(answer), "bad-request");
}

TEST(Limits, HoldForBodiesOfUntoldLength) {
  TestServer server({.upload_bytes = 1000});
  Client client(server.port());
  client.send(request_text("POST", "/upload", "Transfer-Encoding: chunked\r\n") + "3e8\r\n" + std::string(1000, 'x') +
              "\r\n1\r\ny\r\n");
  EXPECT_EQ(problem_of(client.read_answer()), "too-large");
}

TEST(Limits, LetClientsAskFirst) {
  TestServer server;
  Client client(server.port());
  client.send(request_text("POST", "/upload", "Content-Length: 4\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("body");
  EXPECT_EQ(client.read_answer().body, "4 bytes, last y");
}

TEST(Limits, HoldForHeads) {
  TestServer server;
  Answer answer = server.ask(request_text("GET", "/hello", "X-Long: " + std::string(17'000, 'x') + "\r\n"));
  EXPECT_EQ(problem_of(answer), "too-large");
  EXPECT_EQ(answer.status, 431);
  EXPECT_THAT(answer.body, HasSubstr("16384 bytes"));
  answer = server.ask(request_text("GET", "/" + std::string(8'192, 'x')));
  EXPECT_EQ(problem_of(answer), "too-large");
  EXPECT_EQ(answer.status, 414);
  // A head without end is not waited for.
  Client client(server.port());
  client.send("GET /hello HTTP/1.1\r\nX: ");
  client.send(std::string(100'000, 'x'));
  EXPECT_EQ(client.read_answer().status, 431);
}

TEST(Limits, HoldForSilentAndSlowClients) {
  TestServer server(
      {.header_time = milliseconds(100), .idle_time = milliseconds(100), .body_window = milliseconds(100)});
  Client silent(server.port());
  EXPECT_EQ(silent.read_to_end(), "");
  Client slow(server.port());
  slow.send("GET /hello HT");
  EXPECT_EQ(problem_of(slow.read_answer()), "too-slow");
  Client idle(server.port());
  idle.send(request_text("GET", "/hello"));
  EXPECT_EQ(idle.read_answer().status, 200);
  EXPECT_EQ(idle.read_to_end(), "");
  Client stalled(server.port());
  stalled.send(request_text("POST", "/upload", "Content-Length: 1000000\r\n") + "only this");
  const Answer answer = stalled.read_answer();
  EXPECT_EQ(problem_of(answer), "too-slow");
  EXPECT_EQ(answer.status, 408);
}

TEST(Limits, LetBodiesTakeLongThatComeSteadily) {
  // Each piece keeps up the rate of a window, and all of them take many windows.
  TestServer server({.body_window = milliseconds(20), .body_rate = 100});
  Client client(server.port());
  constexpr int kPieces = 200;
  client.send(request_text("POST", "/upload", "Content-Length: " + std::to_string(kPieces * 1000) + "\r\n"));
  for (int i = 0; i < kPieces; ++i) client.send(std::string(1000, 'x'));
  EXPECT_EQ(client.read_answer().body, "200000 bytes, last x");
}

TEST(Limits, HoldForConnections) {
  TestServer server({.connections = 3, .connections_of_address = 2});
  Client first(server.port());
  Client second(server.port());
  first.send(request_text("GET", "/hello"));
  second.send(request_text("GET", "/hello"));
  EXPECT_EQ(first.read_answer().status, 200);
  EXPECT_EQ(second.read_answer().status, 200);
  Client third(server.port());
  const Answer answer = third.read_answer();
  EXPECT_EQ(problem_of(answer), "too-many");
  EXPECT_THAT(answer.body, HasSubstr("2 connections of one address"));
  EXPECT_EQ(answer.headers.at("retry-after"), "5");
}

/// Waits in the sink until it is let go.
class Gate final : public BodySink {
 public:
  explicit Gate(std::condition_variable& changed, std::mutex& mutex, int& inside)
      : changed_(changed), mutex_(mutex), inside_(inside) {}
  void write(std::string_view /*piece*/) override {
    const std::scoped_lock lock(mutex_);
    ++inside_;
    changed_.notify_all();
  }
  Response finish() override { return {201, "text/plain", std::string("done")}; }

 private:
  std::condition_variable& changed_;
  std::mutex& mutex_;
  int& inside_;
};

TEST(Limits, HoldForUploadsAtOnce) {
  std::condition_variable changed;
  std::mutex mutex;
  int inside = 0;
  TestServer server(
      {.uploads = 1},
      {{.method = "POST", .pattern = "/gate", .open = true, .body = BodyKind::kStream, .begin = [&](const Request&) {
          return std::make_unique<Gate>(changed, mutex, inside);
        }}});
  Client first(server.port());
  first.send(request_text("POST", "/gate", "Content-Length: 2\r\n") + "a");
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return inside == 1; });
  }
  EXPECT_EQ(problem_of(server.ask(request_text("POST", "/gate", "", "b"))), "too-many");
  first.send("b");
  EXPECT_EQ(first.read_answer().body, "done");
  EXPECT_EQ(server.ask(request_text("POST", "/gate", "", "b")).body, "done");
}

TEST(Connections, AnswerAtOnceWhateverElseIsUnderWay) {
  std::condition_variable changed;
  std::mutex mutex;
  bool inside = false;
  bool may_go = false;
  TestServer server({.threads = 1},
                    {{.method = "GET",
                      .pattern = "/busy",
                      .open = true,
                      .handle =
                          [&](const Request&) {
                            std::unique_lock lock(mutex);
                            inside = true;
                            changed.notify_all();
                            changed.wait(lock, [&] { return may_go; });
                            return Response(204);
                          }},
                     {.method = "GET", .pattern = "/live", .open = true, .at_once = true, .handle = [](const Request&) {
                        return Response(200, "text/plain", std::string("yes"));
                      }}});
  Client busy(server.port());
  busy.send(request_text("GET", "/busy"));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return inside; });
  }
  EXPECT_EQ(server.ask(request_text("GET", "/live?now")).body, "yes");
  EXPECT_EQ(server.ask(request_text("HEAD", "/live")).headers.at("content-length"), "3");
  EXPECT_EQ(problem_of(server.ask("GET /live HTTP/1.1\r\nHost: other\r\n\r\n")), "wrong-host");
  {
    const std::scoped_lock lock(mutex);
    may_go = true;
  }
  changed.notify_all();
  EXPECT_EQ(busy.read_answer().status, 204);
  EXPECT_EQ(problem_of(server.ask(request_text("DELETE", "/live", "Authorization: Bearer token\r\n"))),
            "method-not-allowed");
}

TEST(Uploads, TakeNoMemory) {
  TestServer server;
  Client client(server.port());
  const std::string piece(1'000'000, 'x');
  client.send(request_text("POST", "/upload", "Content-Length: 100000000\r\n"));
  client.send(piece);
  [[maybe_unused]] const std::int64_t before = resident_bytes();
  for (int i = 1; i < 100; ++i) client.send(piece);
  EXPECT_EQ(client.read_answer().body, "100000000 bytes, last x");
#ifndef UNIANIMATE_SANITIZED
  // A sanitizer keeps what was given back.
  EXPECT_LT(resident_bytes(), before + 10'000'000);
#endif
}

TEST(Uploads, EndWhereTheClientLeaves) {
  TestServer server;
  {
    const Client client(server.port());
    client.send(request_text("POST", "/upload", "Content-Length: 100\r\n") + "some");
  }
  EXPECT_EQ(server.ask(request_text("GET", "/hello")).status, 200);
}

TEST(LaterAnswers, ComeAfterAChangeOrWhenTheTimeIsOver) {
  std::atomic<int> state{0};
  const auto wait_for = [&](milliseconds longest) {
    return [&state, longest](const Request&) {
      return Response(200, "",
                      Later{[&state](bool last) -> std::optional<Response> {
                              if (state == 0 && !last) return std::nullopt;
                              return Response(200, "text/plain", std::to_string(state));
                            },
                            longest});
    };
  };
  TestServer server({},
                    {{.method = "GET", .pattern = "/long", .open = true, .handle = wait_for(std::chrono::minutes(5))},
                     {.method = "GET", .pattern = "/short", .open = true, .handle = wait_for(milliseconds(1))}});
  EXPECT_EQ(server.ask(request_text("GET", "/short")).body, "0");
  Client client(server.port());
  client.send(request_text("GET", "/long"));
  state = 7;
  server.listener().changed();
  EXPECT_EQ(client.read_answer().body, "7");
  state = 0;
  client.send(request_text("GET", "/long"));
  EXPECT_EQ(server.ask(request_text("GET", "/short")).body, "0");
  server.listener().stop();
  EXPECT_EQ(client.read_answer().body, "0");
}

TEST(Listeners, StopAtOnceWithNobodyThereAndWithIdleClients) {
  TestServer server;
  Client client(server.port());
  client.send(request_text("GET", "/hello"));
  EXPECT_EQ(client.read_answer().status, 200);
  server.stop();
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_THROW(Client(server.port()), std::runtime_error);
}

TEST(Listeners, CutOffWhatDoesNotEnd) {
  TestServer server({.stop_time = milliseconds(50)});
  const Client client(server.port());
  client.send(request_text("POST", "/upload", "Content-Length: 100\r\n") + "some");
  EXPECT_EQ(server.ask(request_text("GET", "/hello")).status, 200);
  server.stop();
}

TEST(Listeners, SayWhereTheyCannotListen) {
  const Listener first("127.0.0.1", 0, {});
  EXPECT_NE(first.port(), 0);
  try {
    const Listener second("127.0.0.1", first.port(), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
    EXPECT_THAT(error.what(), HasSubstr("--listen"));
  }
  EXPECT_THROW(Listener("localhost:80", 0, {}), Error);
}

}  // namespace
}  // namespace unianimate::http
