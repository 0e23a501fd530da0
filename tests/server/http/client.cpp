#include "server/http/client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace unianimate::http::testing {

namespace {

/// Tells how long the body was and what its end is.
class Measure final : public BodySink {
 public:
  void write(std::string_view piece) override {
    bytes_ += piece.size();
    last_ = piece.back();
  }
  Response finish() override { return {201, "text/plain", fmt::format("{} bytes, last {}", bytes_, last_)}; }

 private:
  std::size_t bytes_ = 0;
  char last_ = ' ';
};

Response plain(std::string text) {
  return {200, "text/plain", std::move(text)};
}

void add_routes(Router& router) {
  router.add({.method = "GET", .pattern = "/hello", .open = true, .handle = [](const Request& request) {
                return plain("hello " + request.query_value("name").value_or("you"));
              }});
  router.add({.method = "GET", .pattern = "/secret", .handle = [](const Request&) { return plain("secret"); }});
  router.add({.method = "POST",
              .pattern = "/json",
              .open = true,
              .body = BodyKind::kJson,
              .handle = [](const Request& request) { return plain("got " + request.body); }});
  router.add(
      {.method = "POST", .pattern = "/upload", .open = true, .body = BodyKind::kStream, .begin = [](const Request&) {
         return std::make_unique<Measure>();
       }});
  router.add({.method = "GET", .pattern = "/broken", .open = true, .handle = [](const Request&) -> Response {
                throw std::runtime_error("the reason is for the log");
              }});
  router.add(
      {.method = "DELETE", .pattern = "/hello", .open = true, .handle = [](const Request&) { return Response(204); }});
}

}  // namespace

Client::Client(std::uint16_t port, const char* host) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &address.sin_addr);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect");
  }
  // Only where the server has a fault is anything waited for as long as that.
  const timeval patience{60, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

Client::~Client() {
  ::close(socket_);
}

bool Client::send(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Client::finish_sending() const {
  ::shutdown(socket_, SHUT_WR);
}

bool Client::read_more() {
  std::array<char, 65'536> piece{};
  const ssize_t got = ::recv(socket_, piece.data(), piece.size(), 0);
  if (got <= 0) return false;
  held_.append(piece.data(), static_cast<std::size_t>(got));
  return true;
}

std::string Client::read_until(std::string_view text) {
  while (held_.find(text) == std::string::npos) {
    if (!read_more()) return std::exchange(held_, {});
  }
  const std::size_t end = held_.find(text) + text.size();
  std::string read = held_.substr(0, end);
  held_.erase(0, end);
  return read;
}

std::string Client::read_to_end() {
  while (read_more()) {
  }
  return std::exchange(held_, {});
}

Answer Client::read_answer(bool head) {
  Answer answer;
  const std::string text = read_until("\r\n\r\n");
  if (!text.ends_with("\r\n\r\n")) return answer;
  answer.status = std::stoi(text.substr(text.find(' ') + 1));
  for (std::size_t at = text.find("\r\n") + 2; at + 2 < text.size();) {
    const std::size_t end = text.find("\r\n", at);
    const std::size_t colon = text.find(": ", at);
    std::string name = text.substr(at, colon - at);
    for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    answer.headers[name] = text.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  if (head || answer.headers.count("content-length") == 0) return answer;
  const std::size_t length = std::stoul(answer.headers.at("content-length"));
  while (held_.size() < length && read_more()) {
  }
  answer.body = held_.substr(0, length);
  held_.erase(0, length);
  return answer;
}

std::string request_text(std::string_view method, std::string_view target, std::string_view headers,
                         std::string_view body) {
  const std::string length = body.empty() ? "" : fmt::format("Content-Length: {}\r\n", body.size());
  return fmt::format("{} {} HTTP/1.1\r\nHost: test\r\n{}{}\r\n{}", method, target, headers, length, body);
}

TestServer::TestServer(const Limits& limits, std::vector<Route> further) : listener_("127.0.0.1", 0, limits) {
  add_routes(service_.router);
  for (Route& route : further) service_.router.add(std::move(route));
  service_.access.hosts = {"test"};
  service_.access.origins = {"https://friend.example"};
  service_.access.token = "token";
  service_.observe = [this](const Exchange& exchange) {
    const std::scoped_lock lock(mutex_);
    exchanges_.push_back(exchange);
  };
  thread_ = std::thread([this] { listener_.serve(service_); });
}

TestServer::~TestServer() {
  stop();
}

void TestServer::stop() {
  listener_.stop();
  if (thread_.joinable()) thread_.join();
}

std::vector<Exchange> TestServer::exchanges() const {
  const std::scoped_lock lock(mutex_);
  return exchanges_;
}

Answer TestServer::ask(std::string_view text) {
  Client client(port());
  client.send(text);
  return client.read_answer(text.starts_with("HEAD"));
}

}  // namespace unianimate::http::testing
