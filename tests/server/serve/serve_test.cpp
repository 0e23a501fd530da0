#include "unianimate/server/serve/serve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "server/http/client.h"
#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/server/queue/job_queue.h"

namespace unianimate::server {
namespace {

namespace fs = std::filesystem;
using http::testing::Client;
using ::testing::HasSubstr;
using ::testing::Pair;
using unianimate::testing::TemporaryFolder;

ServeOptions some_options(const TemporaryFolder& folder) {
  ServeOptions options;
  options.data = folder.path() / "data";
  options.port = 0;
  return options;
}

std::uint16_t port_of(const Serving& serving) {
  const std::string url = serving.url();
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

std::string token_of(const Serving& serving) {
  return serving.url().substr(serving.url().find("#token=") + 7);
}

/// By its own name and port.
std::string request_text(const Serving& serving, const std::string& target, const std::string& headers) {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost:" + std::to_string(port_of(serving)) + "\r\n" + headers +
         "\r\n";
}

TEST(Services, GoByTheAddressThatTheyListenAt) {
  const TemporaryFolder folder;
  ServeOptions options = some_options(folder);
  options.address = "127.0.0.2";
  Serving serving(options);
  std::thread thread([&] { serving.run(); });
  const std::string host = serving.url().substr(7, serving.url().find("/#") - 7);
  Client client(port_of(serving), "127.0.0.2");
  client.send("GET /health/live HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 200);
  serving.stop();
  thread.join();
}

TEST(Services, SayWhereTheyAreAndTakeTheirToken) {
  const TemporaryFolder folder;
  Serving serving(some_options(folder));
  EXPECT_THAT(serving.url(), HasSubstr("http://127.0.0.1:"));
  EXPECT_EQ(token_of(serving).size(), 64U);
  std::thread thread([&] { serving.run(); });
  Client client(port_of(serving));
  client.send(request_text(serving, "/api/v1/queue", ""));
  EXPECT_EQ(client.read_answer().status, 401);
  client.send(request_text(serving, "/api/v1/queue", "Authorization: Bearer " + token_of(serving) + "\r\n"));
  EXPECT_EQ(client.read_answer().status, 200);
  serving.stop();
  thread.join();
}

TEST(Services, KeepTheirTokenToTheirOwner) {
  const TemporaryFolder folder;
  const std::string token = token_of(Serving(some_options(folder)));
  EXPECT_EQ(token_of(Serving(some_options(folder))), token);
  EXPECT_EQ(fs::status(folder.path() / "data/token").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  ServeOptions other = some_options(folder);
  other.token_file = folder.path() / "other";
  EXPECT_THROW(Serving{other}, Error);
  std::ofstream(other.token_file) << "0123456789abcdef\n";
  EXPECT_EQ(token_of(Serving(other)), "0123456789abcdef");
  std::ofstream(other.token_file) << "short\n";
  EXPECT_THROW(Serving{other}, Error);
}

TEST(Services, TellWhatOthersChangeInTheDatabase) {
  const TemporaryFolder folder;
  Serving serving(some_options(folder));
  std::thread thread([&] { serving.run(); });
  Client client(port_of(serving));
  client.send(request_text(serving, "/api/v1/events", "Authorization: Bearer " + token_of(serving) + "\r\n"));
  client.read_until("event: queue");
  queue::JobQueue queue(queue::open_sqlite(folder.path() / "data/server.db"));
  queue::NewJob job;
  job.request = "{}";
  const std::string id = queue.add(job).job.id;
  client.read_until("event: job");
  EXPECT_THAT(client.read_until("\n\n"), HasSubstr(id));
  // Its end does not wait for those who listen.
  serving.stop();
  thread.join();
  EXPECT_TRUE(client.read_to_end().ends_with("0\r\n\r\n"));
}

TEST(Services, ShowTheirPageWithoutAToken) {
  const TemporaryFolder folder;
  Serving serving(some_options(folder));
  std::thread thread([&] { serving.run(); });
  Client client(port_of(serving));
  client.send(request_text(serving, "/", ""));
  const auto page = client.read_answer();
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("app.js"));
  EXPECT_THAT(page.headers.at("content-security-policy"), HasSubstr("default-src 'self'"));
  serving.stop();
  thread.join();
}

TEST(Services, EndWhereWhoeverTendsThemSaysSo) {
  const TemporaryFolder folder;
  Serving serving(some_options(folder));
  int asked = 0;
  serving.run([&] { return ++asked < 3; });
  EXPECT_EQ(asked, 3);
  Serving other(some_options(folder));
  EXPECT_THROW(other.run([]() -> bool { throw Error(ErrorKind::kInput, "it failed"); }), Error);
}

TEST(Services, SeeAllThatChangedHoweverMuchItIs) {
  const TemporaryFolder folder;
  Serving serving(some_options(folder));
  const auto database = queue::open_sqlite(folder.path() / "data/server.db");
  std::string measures;
  int looks = 0;
  serving.run([&] {
    ++looks;
    if (looks == 2) {
      database->execute(
          "INSERT INTO job (id, kind, lane, state, priority, revision, request, created, queued, place, started, "
          "finished) WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM number WHERE n<2500) SELECT "
          "printf('j%020d', n), 'animate', 'video', 'completed', 0, n, '{}', 1, 1, n, 1, 2 FROM number");
    }
    if (looks < 3) return true;
    Client client(port_of(serving));
    client.send(request_text(serving, "/metrics", "Authorization: Bearer " + token_of(serving) + "\r\n"));
    measures = client.read_answer().body;
    return false;
  });
  EXPECT_THAT(measures, HasSubstr("unianimate_job_seconds_count{kind=\"animate\"} 2500\n"));
}

TEST(Services, RemoveWhatIsOldAndSaySo) {
  const TemporaryFolder folder;
  ServeOptions options = some_options(folder);
  options.retention.finished_seconds = store::Retention::kDay;
  options.retention.always_kept = 0;
  std::vector<std::string> notes;
  options.note = [&](const std::string& note) { notes.push_back(note); };
  Serving serving(options);
  queue::JobQueue queue(queue::open_sqlite(folder.path() / "data/server.db"));
  queue::NewJob job;
  job.request = "{}";
  const std::string id = queue.add(job).job.id;
  queue.cancel(id);
  queue::open_sqlite(folder.path() / "data/server.db")->execute("UPDATE job SET finished=1");
  serving.run([&] { return notes.empty(); });
  EXPECT_THAT(notes.front(), HasSubstr("1 finished job"));
  EXPECT_FALSE(queue.find(id));
}

TEST(Services, GoWithoutATokenOnThisMachineAlone) {
  const TemporaryFolder folder;
  ServeOptions options = some_options(folder);
  options.needs_token = false;
  options.paused = true;
  const Serving serving(options);
  EXPECT_EQ(serving.url().find("token"), std::string::npos);
  EXPECT_TRUE(serving.notes().empty());
  EXPECT_TRUE(queue::JobQueue(queue::open_sqlite(folder.path() / "data/server.db")).paused());
  options.address = "0.0.0.0";
  EXPECT_THROW(Serving{options}, Error);
  options.needs_token = true;
  EXPECT_THAT(Serving(options).notes().at(0), HasSubstr("not encrypted"));
}

TEST(Addresses, AreReadWithTheirPort) {
  EXPECT_THAT(parse_listen("127.0.0.1:8720"), Pair("127.0.0.1", 8720));
  EXPECT_THAT(parse_listen("[::1]:0"), Pair("::1", 0));
  for (const char* text :
       {"", "8720", ":8720", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "::1:80"}) {
    EXPECT_THROW(parse_listen(text), Error) << text;
  }
}

}  // namespace
}  // namespace unianimate::server
