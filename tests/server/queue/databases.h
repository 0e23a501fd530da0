// The databases that the queue is tried with.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "server/queue/postgres_server.h"
#include "support/temporary_folder.h"
#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/queue/sql_connection.h"

namespace unianimate::queue::testing {

/// A database for one test, and as many connections to it as wanted.
class TestDatabase {
 public:
  virtual ~TestDatabase() = default;
  virtual std::unique_ptr<SqlConnection> connect() = 0;
};

class SqliteDatabase final : public TestDatabase {
 public:
  std::unique_ptr<SqlConnection> connect() override { return open_sqlite(folder_ / "server.db"); }

 private:
  unianimate::testing::TemporaryFolder folder_;
};

/// Connections hear of changes or not at all.
class PostgresDatabase final : public TestDatabase {
 public:
  std::unique_ptr<SqlConnection> connect() override { return open_postgres(url_, std::chrono::hours(1)); }

 private:
  std::string url_ = unianimate::testing::PostgresServer::shared().new_database();
};

struct Engine {
  const char* name;
  std::unique_ptr<TestDatabase> (*make)();
};

template <typename Database>
std::unique_ptr<TestDatabase> make_database() {
  return std::make_unique<Database>();
}

/// Whether the program knows PostgreSQL and this machine has it.
inline bool has_postgres() {
  return UNIANIMATE_POSTGRESQL && unianimate::testing::PostgresServer::is_installed();
}

/// Those that can be tried here.
inline std::vector<Engine> engines() {
  std::vector<Engine> engines{{"SQLite", make_database<SqliteDatabase>}};
  if (has_postgres()) engines.push_back({"PostgreSQL", make_database<PostgresDatabase>});
  return engines;
}

/// For every engine.
class DatabaseTest : public ::testing::TestWithParam<Engine> {
 protected:
  std::unique_ptr<SqlConnection> connect() { return database_->connect(); }
  JobQueue open() { return JobQueue(connect()); }

 private:
  std::unique_ptr<TestDatabase> database_ = GetParam().make();
};

inline std::string engine_name(const ::testing::TestParamInfo<Engine>& info) {
  return info.param.name;
}

}  // namespace unianimate::queue::testing
