#include "unianimate/server/queue/sql_connection.h"

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "server/queue/databases.h"
#include "unianimate/core/error.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/queue/schema.h"

namespace unianimate::queue {
namespace {

using testing::DatabaseTest;

class SqlConnections : public DatabaseTest {};
INSTANTIATE_TEST_SUITE_P(Engines, SqlConnections, ::testing::ValuesIn(testing::engines()), testing::engine_name);

TEST_P(SqlConnections, GiveBackWhatTheyAreGiven) {
  const auto connection = connect();
  connection->execute("CREATE TABLE thing (a BIGINT, b DOUBLE PRECISION, c TEXT)");
  const std::string text = "quote ' zero-free \n \xc3\xa9";
  connection->execute("INSERT INTO thing VALUES ($3, $1, $2)",
                      {SqlValue(0.1), SqlValue(text), SqlValue(std::int64_t{1} << 53)});
  connection->execute("INSERT INTO thing VALUES ($1, $2, $3)", {SqlValue(), SqlValue(), SqlValue()});
  const auto rows = connection->execute("SELECT a, b, c FROM thing ORDER BY a IS NULL");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].number(0), std::int64_t{1} << 53);
  EXPECT_EQ(rows[0].real(1), 0.1);
  EXPECT_EQ(rows[0].text(2), text);
  EXPECT_FALSE(rows[1].has(0) || rows[1].has(1) || rows[1].has(2));
  EXPECT_EQ(rows[1].optional_text(2), std::nullopt);
}

TEST_P(SqlConnections, SayTheTime) {
  const auto before = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto connection = connect();
  const double now = connection->execute("SELECT " + std::string(connection->now())).front().real(0);
  EXPECT_GE(now, before - 0.01);
  EXPECT_LT(now, before + 3600);
}

TEST_P(SqlConnections, RollBackWhatIsNotCommitted) {
  const auto connection = connect();
  connection->execute("CREATE TABLE thing (a BIGINT)");
  {
    const Transaction transaction(*connection);
    connection->execute("INSERT INTO thing VALUES (1)");
  }
  EXPECT_EQ(connection->execute("SELECT COUNT(*) FROM thing").front().number(0), 0);
  {
    Transaction transaction(*connection);
    connection->execute("INSERT INTO thing VALUES (1)");
    transaction.commit();
  }
  EXPECT_EQ(connect()->execute("SELECT COUNT(*) FROM thing").front().number(0), 1);
}

/// In a transaction of its own.
void change(SqlConnection& connection, const std::string& statement) {
  Transaction transaction(connection);
  connection.execute(statement);
  transaction.commit();
}

TEST_P(SqlConnections, WaitForChangesOfOthersAlone) {
  const auto one = connect();
  const auto other = connect();
  change(*one, "CREATE TABLE thing (a BIGINT)");
  EXPECT_TRUE(other->wait_for_change(std::chrono::hours(1)));
  EXPECT_FALSE(other->wait_for_change(std::chrono::milliseconds(0)));
  change(*other, "INSERT INTO thing VALUES (1)");
  EXPECT_FALSE(other->wait_for_change(std::chrono::milliseconds(0)));
  one->wait_for_change(std::chrono::milliseconds(0));
  EXPECT_FALSE(one->wait_for_change(std::chrono::milliseconds(0)));
  std::thread writer([&] { change(*other, "INSERT INTO thing VALUES (2)"); });
  EXPECT_TRUE(one->wait_for_change(std::chrono::hours(1)));
  writer.join();
  // What came while something else was asked is not forgotten.
  change(*other, "INSERT INTO thing VALUES (3)");
  EXPECT_EQ(one->execute("SELECT COUNT(*) FROM thing").front().number(0), 3);
  EXPECT_TRUE(one->wait_for_change(std::chrono::hours(1)));
}

TEST_P(SqlConnections, RunOneTransactionAtATime) {
  const auto setup = connect();
  setup->execute("CREATE TABLE thing (a BIGINT)");
  setup->execute("INSERT INTO thing VALUES (0)");
  constexpr int kEach = 50;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto mine = connect();
      for (int j = 0; j < kEach; ++j) {
        Transaction transaction(*mine, i % 2 == 0 ? Keeping::kSurely : Keeping::kUnlessItsMachineFails);
        const std::int64_t before = mine->execute("SELECT a FROM thing").front().number(0);
        mine->execute("UPDATE thing SET a=$1", {SqlValue(before + 1)});
        transaction.commit();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(setup->execute("SELECT a FROM thing").front().number(0), 4 * kEach);
}

TEST_P(SqlConnections, RefuseWhatIsNoStatement) {
  const auto connection = connect();
  EXPECT_THROW(connection->execute("SELEKT 1"), Error);
  EXPECT_EQ(connection->execute("SELECT 1").front().number(0), 1);
}

class Schemas : public DatabaseTest {};
INSTANTIATE_TEST_SUITE_P(Engines, Schemas, ::testing::ValuesIn(testing::engines()), testing::engine_name);

TEST_P(Schemas, AreTakenForwardWithWhatIsInThem) {
  std::vector<SchemaStep> steps{{"CREATE TABLE thing (a BIGINT NOT NULL)"}};
  const auto connection = connect();
  upgrade_schema(*connection, steps);
  connection->execute("INSERT INTO thing VALUES (7)");
  steps.push_back({"ALTER TABLE thing ADD COLUMN b BIGINT", "UPDATE thing SET b=a+1"});
  steps.push_back({"UPDATE thing SET b=b*2"});
  const auto other = connect();
  upgrade_schema(*other, steps);
  upgrade_schema(*connection, steps);
  EXPECT_EQ(connection->schema_version(), 3);
  EXPECT_EQ(connection->execute("SELECT b FROM thing").front().number(0), 16);
}

TEST_P(Schemas, StayAsTheyWereWhereAStepFails) {
  std::vector<SchemaStep> steps{{"CREATE TABLE thing (a BIGINT NOT NULL)"}};
  const auto connection = connect();
  upgrade_schema(*connection, steps);
  steps.push_back({"CREATE TABLE other (a BIGINT)", "nonsense"});
  EXPECT_THROW(upgrade_schema(*connection, steps), Error);
  EXPECT_EQ(connection->schema_version(), 1);
  EXPECT_THROW(connection->execute("SELECT * FROM other"), Error);
}

TEST_P(Schemas, OfLaterProgramsAreLeftAlone) {
  const auto connection = connect();
  connection->set_schema_version(99);
  try {
    upgrade_schema(*connection);
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("99"));
  }
  EXPECT_EQ(connection->schema_version(), 99);
}

TEST_P(Schemas, AreMadeOnceByMany) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([this] { EXPECT_EQ(open().revision(), 0); });
  for (std::thread& thread : threads) thread.join();
}

TEST(SqliteConnections, TellWhatCannotBeOpened) {
  const unianimate::testing::TemporaryFolder folder;
  std::ofstream(folder / "server.db") << std::string(4096, 'x');
  try {
    open_sqlite(folder / "server.db")->schema_version();
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("server.db is damaged or no database"));
  }
  try {
    open_sqlite(folder / "missing" / "server.db");
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
  }
}

TEST(SqliteConnections, TellThatThereIsNoRoom) {
  const unianimate::testing::TemporaryFolder folder;
  const auto connection = open_sqlite(folder / "server.db");
  connection->execute("CREATE TABLE thing (a TEXT)");
  connection->execute("PRAGMA max_page_count=4");
  const SqlValue large(std::string(100'000, 'x'));
  EXPECT_THROW(connection->execute("INSERT INTO thing VALUES ($1)", {large}), DatabaseFull);
  EXPECT_TRUE(connection->execute("SELECT a FROM thing").empty());
}

TEST(RandomIds, AreOfTheirAlphabetAndNotTheSame) {
  const std::string id = random_id('j');
  EXPECT_TRUE(is_id('j', id)) << id;
  EXPECT_FALSE(is_id('a', id));
  EXPECT_FALSE(is_id('j', id + "0"));
  EXPECT_FALSE(is_id('j', ""));
  EXPECT_FALSE(is_id('j', "j../../etc/passwd0000"));
  EXPECT_NE(id, random_id('j'));
}

}  // namespace
}  // namespace unianimate::queue
