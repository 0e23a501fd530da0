// What only PostgreSQL does: connections that are lost, URLs, the tables of others.
#include <gmock/gmock.h>

#include <thread>

#include "server/queue/databases.h"
#include "unianimate/core/error.h"
#include "unianimate/server/queue/queue_place.h"

namespace unianimate::queue {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using unianimate::testing::PostgresServer;

class Postgres : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!UNIANIMATE_POSTGRESQL) GTEST_SKIP() << "the program was built without PostgreSQL (libpq-dev)";
    if (!PostgresServer::is_installed()) {
      GTEST_SKIP()
          << "this machine has no server of PostgreSQL (Debian package postgresql): queues in one are not tried";
    }
    url_ = PostgresServer::shared().new_database();
  }
  [[nodiscard]] std::unique_ptr<SqlConnection> connect() const { return open_postgres(url_, std::chrono::hours(1)); }
  /// Ends all connections but this one.
  static void cut(SqlConnection& connection) {
    connection.execute(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname=current_database() AND"
        " pid<>pg_backend_pid()");
  }
  static Error refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error;
    }
    throw std::runtime_error("nothing was refused");
  }

  std::string url_;
};

TEST_F(Postgres, IsConnectedToAnewWhereTheConnectionWasLost) {
  JobQueue queue(connect());
  const auto other = connect();
  NewJob job;
  job.request = "{}";
  const std::string first = queue.add(job).job.id;
  cut(*other);
  EXPECT_TRUE(queue.find(first));
  cut(*other);
  queue.add(job);
  EXPECT_EQ(queue.list().size(), 2U);
  EXPECT_EQ(queue.claim("video", "worker", "cpu fp32")->id, first);
  EXPECT_EQ(queue.revision(), 3);
}

TEST_F(Postgres, TakesBackATransactionWhoseConnectionWasLost) {
  const auto one = connect();
  const auto other = connect();
  one->execute("CREATE TABLE thing (a BIGINT)");
  {
    const Transaction transaction(*one);
    one->execute("INSERT INTO thing VALUES (1)");
    cut(*other);
    const Error error = refusal([&] { one->execute("INSERT INTO thing VALUES (2)"); });
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
  }
  Transaction transaction(*one);
  one->execute("INSERT INTO thing VALUES (3)");
  transaction.commit();
  const auto rows = other->execute("SELECT a FROM thing");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.front().number(0), 3);
}

TEST_F(Postgres, SaysThatSomethingMayHaveChangedWhileTheConnectionWasLost) {
  const auto one = connect();
  const auto other = connect();
  one->wait_for_change(std::chrono::milliseconds(0));
  EXPECT_FALSE(one->wait_for_change(std::chrono::milliseconds(0)));
  std::thread cutter([&] { cut(*other); });
  EXPECT_TRUE(one->wait_for_change(std::chrono::hours(1)));
  cutter.join();
  EXPECT_FALSE(one->wait_for_change(std::chrono::milliseconds(0)));
  const auto writer = connect();
  Transaction transaction(*writer);
  transaction.commit();
  EXPECT_TRUE(one->wait_for_change(std::chrono::hours(1))) << "it listens again";
}

TEST_F(Postgres, KeepsAFileOfAJobThatIsBeingAdded) {
  JobQueue queue(connect());
  queue.add_asset({"a1", "hash1", 5, "image/png", std::nullopt});
  NewJob job;
  job.request = "{}";
  const std::string id = queue.add(job).job.id;
  const auto adder = connect();
  std::optional<bool> removed;
  std::optional<Transaction> transaction(std::in_place, *adder);
  adder->execute("INSERT INTO job_asset (job, asset) VALUES ($1, 'a1')", {SqlValue(id)});
  adder->execute("UPDATE asset SET used=used+1 WHERE id='a1'");
  std::thread remover([&] { removed = queue.remove_asset("a1"); });
  const auto watcher = connect();
  constexpr const char* kWaiting =
      "SELECT 1 FROM pg_stat_activity WHERE datname=current_database() AND wait_event_type='Lock'";
  while (watcher->execute(kWaiting).empty()) std::this_thread::yield();
  transaction->commit();
  transaction.reset();
  remover.join();
  EXPECT_EQ(removed, false);
  EXPECT_TRUE(queue.find_asset("a1"));
}

TEST_F(Postgres, IsLookedAtNowAndThenWhateverIsHeard) {
  const auto connection = open_postgres(url_, std::chrono::milliseconds(1));
  connection->wait_for_change(std::chrono::milliseconds(0));
  EXPECT_TRUE(connection->wait_for_change(std::chrono::hours(1)));
}

TEST_F(Postgres, OutlastsTheServer) {
  PostgresServer server;
  const std::string url = server.new_database();
  JobQueue queue(open_postgres(url));
  NewJob job;
  job.request = "{}";
  queue.add(job);
  queue.wait_for_change(std::chrono::milliseconds(0));
  server.kill();
  for (int i = 0; i < 2; ++i) {
    const Error error = refusal([&] { queue.list(); });
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
    EXPECT_THAT(error.what(), HasSubstr("/test1 cannot be reached: "));
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    EXPECT_EQ(refusal([&] { queue.wait_for_change(std::chrono::hours(1)); }).kind(), ErrorKind::kEnvironment);
    EXPECT_EQ(refusal([&] { queue.add(job); }).kind(), ErrorKind::kEnvironment);
  }
  server.start();
  EXPECT_TRUE(queue.wait_for_change(std::chrono::hours(1)));
  EXPECT_EQ(queue.list().size(), 1U);
  queue.add(job);
  EXPECT_EQ(queue.revision(), 2);
}

TEST_F(Postgres, ShutsOutWhoSleepsInATransaction) {
  const auto asleep = connect();
  asleep->execute("CREATE TABLE thing (a BIGINT)");
  const Transaction transaction(*asleep);
  asleep->execute("INSERT INTO thing VALUES (1)");
  const auto other = connect();
  {
    Transaction mine(*other);
    other->execute("INSERT INTO thing VALUES (2)");
    mine.commit();
  }
  EXPECT_EQ(refusal([&] { asleep->execute("INSERT INTO thing VALUES (3)"); }).kind(), ErrorKind::kEnvironment);
  EXPECT_EQ(other->execute("SELECT SUM(a)::bigint FROM thing").front().number(0), 2);
}

TEST_F(Postgres, RefusesWhatItCannotHold) {
  const auto connection = connect();
  connection->execute("CREATE TABLE thing (a TEXT)");
  for (const std::string& text : {std::string("a\0b", 3), std::string("\xff")}) {
    const Error error = refusal([&] { connection->execute("INSERT INTO thing VALUES ($1)", {SqlValue(text)}); });
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("takes only text that is UTF-8"));
  }
  const std::string long_text(3'000'000, 'x');
  connection->execute("INSERT INTO thing VALUES ($1)", {SqlValue(long_text)});
  EXPECT_EQ(connection->execute("SELECT a FROM thing").front().text(0), long_text);
}

TEST_F(Postgres, LeavesTheTablesOfOthersAlone) {
  const auto connection = connect();
  connection->execute("CREATE TABLE job (theirs TEXT)");
  const Error error = refusal([&] { JobQueue queue(connect()); });
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("give the queue a database of its own"));
  EXPECT_EQ(connection->schema_version(), 0);
  connection->execute("CREATE SCHEMA ours");
  EXPECT_EQ(JobQueue(open_postgres(url_ + "?options=-csearch_path%3Dours")).revision(), 0);
}

TEST_F(Postgres, KeepsNothingToItselfButPasswords) {
  EXPECT_THAT(postgres_name("postgres://ann:topsecret@db.example:5433/queue?sslmode=require&sslpassword=topsecret"),
              "postgresql://ann@db.example:5433/queue");
  EXPECT_EQ(postgres_name("postgresql:///queue"), "postgresql:///queue");
  const Error error = refusal([] { open_postgres("postgresql://ann:topsecret@%2Fnowhere/queue?password=topsecret"); });
  EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
  EXPECT_THAT(error.what(), HasSubstr("postgresql://ann@/nowhere/queue cannot be reached"));
  EXPECT_THAT(error.what(), Not(HasSubstr("topsecret")));
  for (const char* url : {
           "postgresql://ann:topsecret",                         // a password as the port
           "postgresql://ann:top@topsecret@host/queue",          // '@' in it
           "postgresql://ann:12/topsecret@host/queue",           // '/' in it
           "postgresql://ann:topsecret%@host/queue",             // '%' in it
           "postgresql://ann:topsecret@[::1/queue",              // half an address
           "postgresql://ann:topsecret@host/queue?topsecret",    // a parameter without a value
           "postgresql://ann:topsecret@host/queue?topsecret=1",  // no parameter
           "postgresql://ann:topsecret@host:12x/queue",
       }) {
    const Error refused = refusal([&] { open_postgres(url); });
    EXPECT_EQ(refused.kind(), ErrorKind::kUsage) << url;
    EXPECT_THAT(refused.what(), HasSubstr("expected postgresql://user:password@host:port/database")) << url;
    EXPECT_THAT(refused.what(), Not(AnyOf(HasSubstr("topsecret"), HasSubstr("\n")))) << url;
  }
}

TEST(QueuePlaces, AreFilesOrUrlsOfPostgres) {
  const unianimate::testing::TemporaryFolder folder;
  const QueuePlace file{folder / "server.db", ""};
  EXPECT_EQ(place_name(file), (folder / "server.db").string());
  EXPECT_EQ(JobQueue(open_database(file)).revision(), 0);
  for (const char* url : {"mysql://ann:topsecret@host/queue", "host=db password=topsecret", "/topsecret",
                          "://topsecret", "POSTGRESQL://ann:topsecret@host/queue", "top secret://x"}) {
    try {
      open_database({folder / "server.db", url});
      FAIL() << url;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("--queue expects a URL such as postgresql://"));
      EXPECT_THAT(error.what(), Not(HasSubstr("secret"))) << url;
    }
  }
}

}  // namespace
}  // namespace unianimate::queue
