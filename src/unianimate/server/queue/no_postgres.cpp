// Stands for postgres_connection.cpp where libpq was not there.
#include "unianimate/core/error.h"
#include "unianimate/server/queue/sql_connection.h"

namespace unianimate::queue {

namespace {

[[noreturn]] void refuse_postgres() {
  throw Error(ErrorKind::kUsage,
              "this program was built without PostgreSQL: build it where libpq-dev is, or leave --queue out");
}

}  // namespace

std::unique_ptr<SqlConnection> open_postgres(const std::string& /*url*/, std::chrono::milliseconds /*look*/) {
  refuse_postgres();
}

std::string postgres_name(const std::string& /*url*/) {
  refuse_postgres();
}

}  // namespace unianimate::queue
