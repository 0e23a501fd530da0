// The databases that the queue is tried with.
#pragma once

#include <gtest/gtest.h>

#include <memory>

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

struct Engine {
  const char* name;
  std::unique_ptr<TestDatabase> (*make)();
};

inline std::vector<Engine> engines() {
  return {{"SQLite", []() -> std::unique_ptr<TestDatabase> { return std::make_unique<SqliteDatabase>(); }}};
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
