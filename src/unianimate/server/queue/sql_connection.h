// A database as the queue needs it: one set of statements for all engines.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "unianimate/core/error_causes.h"

namespace unianimate::queue {

/// std::monostate: NULL.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string>;

/// NULL where there is none.
template <typename T>
SqlValue sql_value(const std::optional<T>& value) {
  return value ? SqlValue(*value) : SqlValue();
}

/// What a statement gave, column by column, from 0.
class SqlRow {
 public:
  explicit SqlRow(std::vector<SqlValue> values) : values_(std::move(values)) {}

  [[nodiscard]] bool has(std::size_t column) const { return values_.at(column).index() != 0; }
  /// NULL counts as 0 and as "".
  [[nodiscard]] std::int64_t number(std::size_t column) const;
  [[nodiscard]] double real(std::size_t column) const;
  [[nodiscard]] std::string text(std::size_t column) const;
  [[nodiscard]] std::optional<std::string> optional_text(std::size_t column) const;
  [[nodiscard]] std::optional<double> optional_real(std::size_t column) const;

 private:
  std::vector<SqlValue> values_;
};

/// The database cannot be reached, or cannot do now what is asked of it; later it may.
class DatabaseUnavailable : public ErrorOf<ErrorKind::kEnvironment> {
 public:
  using ErrorOf::ErrorOf;
};

/// Its disk has no room for what is asked of it.
class DatabaseFull : public DatabaseUnavailable {
 public:
  using DatabaseUnavailable::DatabaseUnavailable;
};

/// How surely a change is kept.
enum class Keeping {
  kSurely,
  kUnlessItsMachineFails,  ///< the database need not wait for its disk
};

/// Belongs to one thread. All calls throw DatabaseUnavailable, or DatabaseFull, Error(kEnvironment) where it is none
/// that can be used, Error(kInput) where it is damaged, Error(kUsage) where it cannot hold such a text.
///
/// A connection that is lost is made anew by the next call. What was not committed is gone then; a statement outside of
/// transactions may have been run twice.
class SqlConnection {
 public:
  SqlConnection() = default;
  virtual ~SqlConnection() = default;
  SqlConnection(const SqlConnection&) = delete;
  SqlConnection& operator=(const SqlConnection&) = delete;

  /// One statement, whose $1, $2, … are the parameters.
  virtual std::vector<SqlRow> execute(const std::string& statement, const std::vector<SqlValue>& parameters = {}) = 0;

  /// An expression for the database's clock: seconds since 1970.
  [[nodiscard]] virtual std::string_view now() const = 0;

  /// Waits until a transaction of another connection has changed something since the last call, at most that long;
  /// whether one has, or may have.
  virtual bool wait_for_change(std::chrono::milliseconds longest) = 0;

  /// 0 for an empty database.
  virtual std::int64_t schema_version() = 0;
  virtual void set_schema_version(std::int64_t version) = 0;

 private:
  friend class Transaction;
  virtual void begin(Keeping keeping) = 0;  ///< no other transaction runs until the end
  virtual void commit() = 0;
  virtual void roll_back() noexcept = 0;
};

/// Rolled back unless it is committed.
class Transaction {
 public:
  explicit Transaction(SqlConnection& connection, Keeping keeping = Keeping::kSurely) : connection_(connection) {
    connection_.begin(keeping);
  }
  ~Transaction() {
    if (!committed_) connection_.roll_back();
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit() {
    connection_.commit();
    committed_ = true;
  }

 private:
  SqlConnection& connection_;
  bool committed_ = false;
};

/// A file of SQLite's, which is made where there is none.
std::unique_ptr<SqlConnection> open_sqlite(const std::filesystem::path& file);

/// A database of PostgreSQL's, 12 or later. `url`: "postgresql://…" as libpq takes it; no message repeats its password.
/// `look`: so often wait_for_change() says that something may have changed, whatever it was told. Throws also
/// Error(kUsage) for a URL that cannot be read, and where the program was built without PostgreSQL.
std::unique_ptr<SqlConnection> open_postgres(const std::string& url,
                                             std::chrono::milliseconds look = std::chrono::seconds(5));

/// The URL without what is secret. Throws Error(kUsage) as open_postgres().
std::string postgres_name(const std::string& url);

}  // namespace unianimate::queue
