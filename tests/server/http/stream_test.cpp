#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "server/http/client.h"
#include "unianimate/server/http/event_stream.h"

namespace unianimate::http {
namespace {

using std::chrono::milliseconds;
using testing::Client;
using ::testing::HasSubstr;
using testing::request_text;
using testing::TestServer;

/// Tells each number once.
class Numbers {
 public:
  Route route(bool open = true) {
    return {.method = "GET", .pattern = "/events", .open = open, .handle = [this](const Request&) {
              return event_stream([this, told = 0]() mutable {
                const int now = number_;
                if (told == now) return std::string();
                told = now;
                return event_text("number", std::to_string(now), std::to_string(now));
              });
            }};
  }
  void set(int number) { number_ = number; }

 private:
  std::atomic<int> number_{1};
};

std::size_t threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

void wait_until_streams_are(TestServer& server, std::size_t count) {
  while (server.listener().streams() != count) std::this_thread::yield();
}

TEST(Streams, TellChanges) {
  Numbers numbers;
  TestServer server({}, {numbers.route()});
  Client client(server.port());
  client.send(request_text("GET", "/events"));
  const auto head = client.read_answer();
  EXPECT_EQ(head.headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(head.headers.at("transfer-encoding"), "chunked");
  EXPECT_EQ(head.headers.at("cache-control"), "no-store");
  EXPECT_EQ(head.headers.at("x-accel-buffering"), "no");
  EXPECT_THAT(client.read_until("data: 1\n\n"), HasSubstr("retry: 2000\n\nevent: number\nid: 1\n"));
  numbers.set(2);
  server.listener().changed();
  client.read_until("data: 2\n\n");
  server.stop();
  EXPECT_TRUE(client.read_to_end().ends_with("0\r\n\r\n"));
}

TEST(Streams, AreNotChunkedForOldClients) {
  Numbers numbers;
  TestServer server({}, {numbers.route()});
  Client client(server.port());
  client.send("GET /events HTTP/1.0\r\nHost: test\r\n\r\n");
  EXPECT_EQ(client.read_answer().headers.count("transfer-encoding"), 0U);
  EXPECT_EQ(client.read_until("data: 1\n\n"), "retry: 2000\n\nevent: number\nid: 1\ndata: 1\n\n");
}

TEST(Streams, HaveNoBodyForHead) {
  Numbers numbers;
  TestServer server({}, {numbers.route()});
  Client client(server.port());
  client.send(request_text("HEAD", "/events"));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Streams, ServeTwoHundredClientsOnTheirOneThread) {
  constexpr std::size_t kClients = 200;
  Numbers numbers;
  TestServer server({.connections_of_address = 256, .heartbeat = milliseconds(50)}, {numbers.route()});
  const std::size_t before = threads();
  std::deque<Client> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.emplace_back(server.port()).send(request_text("GET", "/events"));
  for (Client& client : clients) client.read_until("data: 1\n\n");
  EXPECT_EQ(server.listener().streams(), kClients);
  EXPECT_EQ(threads(), before);
  Client further(server.port());
  further.send(request_text("GET", "/events"));
  const auto refused = further.read_answer();
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("200 streams"));
  for (Client& client : clients) client.read_until(":\n\n");
  numbers.set(3);
  server.listener().changed();
  for (Client& client : clients) client.read_until("data: 3\n\n");
  clients.clear();
  wait_until_streams_are(server, 0);
}

TEST(Streams, LeaveTheirAddressToOthersWhereATokenOpenedThem) {
  Numbers numbers;
  TestServer server({.connections_of_address = 2}, {numbers.route(false)});
  std::deque<Client> clients;
  for (int i = 0; i < 5; ++i) {
    Client& client = clients.emplace_back(server.port());
    client.send(request_text("GET", "/events", "Authorization: Bearer token\r\n"));
    client.read_until("data: 1\n\n");
  }
  EXPECT_EQ(server.ask(request_text("GET", "/hello")).status, 200);
}

TEST(Streams, CountForTheirAddressWhereAnybodyMayOpenThem) {
  Numbers numbers;
  TestServer server({.connections_of_address = 2}, {numbers.route()});
  std::deque<Client> clients;
  for (int i = 0; i < 2; ++i) {
    Client& client = clients.emplace_back(server.port());
    client.send(request_text("GET", "/events"));
    client.read_until("data: 1\n\n");
  }
  EXPECT_EQ(server.ask(request_text("GET", "/hello")).status, 429);
}

TEST(Streams, EndAtTheStop) {
  Numbers numbers;
  TestServer server({}, {numbers.route()});
  std::deque<Client> clients;
  for (int i = 0; i < 20; ++i) clients.emplace_back(server.port()).send(request_text("GET", "/events"));
  for (Client& client : clients) client.read_until("data: 1\n\n");
  server.stop();
  for (Client& client : clients) EXPECT_TRUE(client.read_to_end().ends_with("0\r\n\r\n"));
}

TEST(Streams, TellWhoeverWatchesWhyTheyBreak) {
  const Route broken{.method = "GET", .pattern = "/breaking", .open = true, .handle = [](const Request&) {
                       return event_stream([begun = false]() mutable {
                         if (std::exchange(begun, true)) throw std::runtime_error("the database is gone");
                         return event_text("a", "", "b");
                       });
                     }};
  TestServer server({}, {broken});
  Client client(server.port());
  client.send(request_text("GET", "/breaking"));
  EXPECT_FALSE(client.read_to_end().ends_with("0\r\n\r\n"));
  server.stop();
  const auto exchanges = server.exchanges();
  ASSERT_EQ(exchanges.size(), 2U);
  EXPECT_EQ(exchanges.front().status, 200);
  EXPECT_EQ(exchanges.back().status, 500);
  EXPECT_EQ(exchanges.back().route, "/breaking");
  EXPECT_EQ(exchanges.back().failure, "the database is gone");
}

TEST(Streams, EndWhereAClientDoesNotRead) {
  const Route endless{.method = "GET", .pattern = "/endless", .open = true, .handle = [](const Request&) {
                        return event_stream([] { return event_text("a", "", std::string(100'000, 'x')); });
                      }};
  TestServer server({.write_time = milliseconds(100)}, {endless});
  const Client client(server.port());
  client.send(request_text("GET", "/endless"));
  wait_until_streams_are(server, 1);
  wait_until_streams_are(server, 0);
}

}  // namespace
}  // namespace unianimate::http
