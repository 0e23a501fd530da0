// A server for tests, and a client that says exactly what it is told to.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "unianimate/server/http/listener.h"

namespace unianimate::http::testing {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in small letters
  std::string body;
};

class Client {
 public:
  explicit Client(std::uint16_t port, const char* address = "127.0.0.1");
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// False where the other end is gone.
  bool send(std::string_view text) const;
  /// The next answer; `head`: without its body. Status 0 where the connection ends before.
  Answer read_answer(bool head = false);
  /// All until the text has come, that included; less where the connection ends before.
  std::string read_until(std::string_view text);
  std::string read_to_end();
  void finish_sending() const;

 private:
  bool read_more();

  int socket_;
  std::string held_;
};

/// "GET /path HTTP/1.1" with Host and what is added: "Name: value\r\n".
std::string request_text(std::string_view method, std::string_view target, std::string_view headers = {},
                         std::string_view body = {});

/// Answers in a thread of its own until it goes. Routes: see client.cpp.
class TestServer {
 public:
  explicit TestServer(const Limits& limits = {}, std::vector<Route> further = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }
  Listener& listener() { return listener_; }
  /// Stops and waits for the end.
  void stop();
  [[nodiscard]] std::vector<Exchange> exchanges() const;
  /// One request on a connection of its own.
  Answer ask(std::string_view text);

 private:
  Listener listener_;
  Service service_;
  mutable std::mutex mutex_;
  std::vector<Exchange> exchanges_;
  std::thread thread_;
};

}  // namespace unianimate::http::testing
