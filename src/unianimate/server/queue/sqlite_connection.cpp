#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <thread>

#include "unianimate/core/error.h"
#include "unianimate/server/queue/sql_connection.h"

namespace unianimate::queue {

namespace {

/// So long a connection waits for the others.
constexpr std::chrono::milliseconds kBusy{5000};

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// Readies a statement for its next use, whatever becomes of this one.
class Use {
 public:
  explicit Use(sqlite3_stmt* statement) : statement_(statement) {}
  ~Use() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  sqlite3_stmt* statement_;
};

SqlValue value_of(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_NULL:
      return {};
    default: {
      const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
      return bytes == nullptr ? std::string() : std::string(bytes, size);
    }
  }
}

SqlRow row_of(sqlite3_stmt* statement) {
  std::vector<SqlValue> values;
  for (int column = 0; column < sqlite3_column_count(statement); ++column) {
    values.push_back(value_of(statement, column));
  }
  return SqlRow(std::move(values));
}

class SqliteConnection final : public SqlConnection {
 public:
  explicit SqliteConnection(const std::filesystem::path& file) : name_(file.string()) {
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    sqlite3* opened = nullptr;
    const int status = sqlite3_open_v2(file.c_str(), &opened, kFlags, nullptr);
    database_.reset(opened);
    require(status);
    sqlite3_busy_timeout(database_.get(), static_cast<int>(kBusy.count()));
    keep_log_beside();
    execute("PRAGMA synchronous=NORMAL");
    execute("PRAGMA foreign_keys=ON");
    seen_version_ = data_version();
  }

  std::vector<SqlRow> execute(const std::string& text, const std::vector<SqlValue>& parameters = {}) override {
    sqlite3_stmt* const statement = prepared(text);
    const Use use(statement);
    bind(statement, parameters);
    std::vector<SqlRow> rows;
    int status = sqlite3_step(statement);
    for (; status == SQLITE_ROW; status = sqlite3_step(statement)) rows.push_back(row_of(statement));
    require(status);
    return rows;
  }

  [[nodiscard]] std::string_view now() const override { return "((julianday('now')-2440587.5)*86400.0)"; }

  bool wait_for_change(std::chrono::milliseconds longest) override {
    constexpr std::chrono::milliseconds kLook{250};
    const auto end = std::chrono::steady_clock::now() + longest;
    while (true) {
      if (const std::int64_t version = data_version(); version != seen_version_) {
        seen_version_ = version;
        return true;
      }
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= std::chrono::milliseconds(0)) return false;
      std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(left, kLook));
    }
  }

  std::int64_t schema_version() override { return execute("PRAGMA user_version").front().number(0); }
  void set_schema_version(std::int64_t version) override { execute("PRAGMA user_version=" + std::to_string(version)); }

 private:
  void begin(Keeping /*keeping*/) override { execute("BEGIN IMMEDIATE"); }
  void commit() override { execute("COMMIT"); }
  void roll_back() noexcept override { sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr); }

  /// Of several that do this to a new file at once, some are told to try again without having waited.
  void keep_log_beside() {
    constexpr std::chrono::milliseconds kPause{10};
    const auto end = std::chrono::steady_clock::now() + kBusy;
    const auto try_it = [this] {
      return sqlite3_exec(database_.get(), "PRAGMA journal_mode=WAL", nullptr, nullptr, nullptr);
    };
    int status = try_it();
    for (; status == SQLITE_BUSY && std::chrono::steady_clock::now() < end; status = try_it()) {
      std::this_thread::sleep_for(kPause);
    }
    require(status);
  }

  std::int64_t data_version() { return execute("PRAGMA data_version").front().number(0); }

  sqlite3_stmt* prepared(const std::string& text) {
    Statement& kept = statements_[text];
    if (!kept) {
      sqlite3_stmt* fresh = nullptr;
      const int status = sqlite3_prepare_v3(database_.get(), text.data(), static_cast<int>(text.size()),
                                            SQLITE_PREPARE_PERSISTENT, &fresh, nullptr);
      kept.reset(fresh);
      require(status);
    }
    return kept.get();
  }

  /// $1, $2, … are names to SQLite, which numbers them as they occur.
  void bind(sqlite3_stmt* statement, const std::vector<SqlValue>& parameters) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const int place = sqlite3_bind_parameter_index(statement, fmt::format("${}", i + 1).c_str());
      if (place == 0) continue;
      require(std::visit([&](const auto& value) { return bind_value(statement, place, value); }, parameters[i]));
    }
  }
  static int bind_value(sqlite3_stmt* statement, int place, std::monostate /*null*/) {
    return sqlite3_bind_null(statement, place);
  }
  static int bind_value(sqlite3_stmt* statement, int place, std::int64_t value) {
    return sqlite3_bind_int64(statement, place, value);
  }
  static int bind_value(sqlite3_stmt* statement, int place, double value) {
    return sqlite3_bind_double(statement, place, value);
  }
  static int bind_value(sqlite3_stmt* statement, int place, const std::string& value) {
    return sqlite3_bind_text64(statement, place, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }

  void require(int status) const {
    if (status == SQLITE_OK || status == SQLITE_DONE) return;
    constexpr int kPrimary = 0xff;
    const int kind = status & kPrimary;
    const char* const reason = database_ ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(status);
    const bool damaged = kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB;
    if (damaged) {
      throw Error(ErrorKind::kInput, "the queue's database {} is damaged or no database: {}", printable(name_),
                  printable(reason));
    }
    if (kind == SQLITE_FULL) {
      throw DatabaseFull("the disk of the queue's database {} is full: {}", printable(name_), printable(reason));
    }
    throw DatabaseUnavailable("the queue's database {} could not be used: {}", printable(name_), printable(reason));
  }

  std::string name_;
  Database database_;
  std::map<std::string, Statement, std::less<>> statements_;  ///< by their text; gone before the database
  std::int64_t seen_version_ = 0;
};

}  // namespace

std::unique_ptr<SqlConnection> open_sqlite(const std::filesystem::path& file) {
  return std::make_unique<SqliteConnection>(file);
}

}  // namespace unianimate::queue
