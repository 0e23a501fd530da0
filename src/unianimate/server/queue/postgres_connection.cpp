#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <functional>

#include "unianimate/core/error.h"
#include "unianimate/server/queue/sql_connection.h"

namespace unianimate::queue {

namespace {

using SteadyClock = std::chrono::steady_clock;

struct FinishPostgres {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
struct FreeByPostgres {
  void operator()(void* memory) const { PQfreemem(memory); }
};
struct FreeUrlOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Result = std::unique_ptr<PGresult, ClearResult>;
using UrlOptions = std::unique_ptr<PQconninfoOption, FreeUrlOptions>;

// Types, by the numbers that stand in PostgreSQL's catalogue for ever.
constexpr Oid kBool = 16;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kText = 25;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;
constexpr Oid kNumeric = 1700;

// ---- the URL

std::string option_of(const PQconninfoOption* options, std::string_view name) {
  for (; options->keyword != nullptr; ++options) {
    if (name == options->keyword) return options->val == nullptr ? "" : options->val;
  }
  return "";
}

/// Characters that have a meaning in a URL may split a password, of which a part would then be told as a host's name.
bool is_unambiguous(std::string_view url) {
  const std::size_t begin = url.find("://") + 3;
  const std::size_t at = url.find('@', begin);
  if (at == std::string_view::npos) return true;
  const std::string_view before = url.substr(begin, at - begin);
  const bool is_in_parameters = before.find('?') != std::string_view::npos;
  const bool is_in_path = before.find('/') != std::string_view::npos;
  return url.find('@', at + 1) == std::string_view::npos && (is_in_parameters || !is_in_path);
}

UrlOptions read_url(const std::string& url) {
  char* reason = nullptr;
  UrlOptions options(PQconninfoParse(url.c_str(), &reason));
  // It may repeat a password.
  PQfreemem(reason);
  const bool sound = options && is_unambiguous(url) &&
                     option_of(options.get(), "port").find_first_not_of("0123456789,") == std::string::npos;
  if (!sound) {
    throw Error(ErrorKind::kUsage,
                "the URL of the queue cannot be read: expected postgresql://user:password@host:port/database, in whose "
                "parts '@', ':', '/', '?', '#' and '%' are written as %40, %3A, %2F, %3F, %23 and %25");
  }
  return options;
}

// ---- parameters and results

/// What stands in a statement for $1, $2, …
struct Parameters {
  explicit Parameters(const std::vector<SqlValue>& given) {
    // Their places must not change.
    texts.reserve(given.size());
    for (const SqlValue& value : given) {
      std::visit([this](const auto& held) { add(held); }, value);
    }
  }

  std::vector<std::string> texts;
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;  ///< 1: as the bytes are

 private:
  void add(std::monostate /*null*/) {
    add_text({}, 0, 0);
    values.back() = nullptr;
  }
  void add(std::int64_t value) { add_text(fmt::to_string(value), kInt8, 0); }
  void add(double value) { add_text(fmt::to_string(value), kFloat8, 0); }
  void add(const std::string& value) { add_text(value, kText, 1); }
  void add_text(std::string text, Oid type, int format) {
    texts.push_back(std::move(text));
    types.push_back(type);
    values.push_back(texts.back().c_str());
    lengths.push_back(static_cast<int>(texts.back().size()));
    formats.push_back(format);
  }
};

template <typename Number>
Number number_in(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

SqlValue value_in(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) != 0) return {};
  const std::string_view text(PQgetvalue(result, row, column),
                              static_cast<std::size_t>(PQgetlength(result, row, column)));
  switch (PQftype(result, column)) {
    case kBool:
      return std::int64_t{text == "t"};
    case kInt2:
    case kInt4:
    case kInt8:
      return number_in<std::int64_t>(text);
    case kFloat4:
    case kFloat8:
    case kNumeric:
      return number_in<double>(text);
    default:
      return std::string(text);
  }
}

std::vector<SqlRow> rows_in(const PGresult* result) {
  std::vector<SqlRow> rows;
  for (int row = 0; row < PQntuples(result); ++row) {
    std::vector<SqlValue> values;
    for (int column = 0; column < PQnfields(result); ++column) values.push_back(value_in(result, row, column));
    rows.emplace_back(std::move(values));
  }
  return rows;
}

// ---- refusals

/// PostgreSQL's messages have several lines.
std::string in_one_line(std::string_view message) {
  std::string line;
  for (const char letter : message) {
    const bool is_space = letter == '\n' || letter == '\t' || letter == ' ';
    if (!is_space) {
      line += letter;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

struct Refusal {
  std::string_view state;  ///< SQLSTATE
  ErrorKind kind;
  const char* what;
};
constexpr std::string_view kDiskFull = "53100";
constexpr std::array<Refusal, 6> kRefusals{
    {{"22021", ErrorKind::kUsage, "takes only text that is UTF-8 and has no zero bytes"},
     {"22P05", ErrorKind::kUsage, "takes no such characters: make it with the encoding UTF8"},
     {"42P07", ErrorKind::kUsage, "has tables of something else: give the queue a database of its own"},
     {kDiskFull, ErrorKind::kEnvironment, "has no room left on its disk"},
     {"XX001", ErrorKind::kInput, "is damaged"},
     {"XX002", ErrorKind::kInput, "is damaged"}}};
constexpr Refusal kOtherRefusal{"", ErrorKind::kEnvironment, "could not be used"};

const Refusal& refusal_of(const char* state) {
  const auto* const found = std::find_if(kRefusals.begin(), kRefusals.end(), [&](const Refusal& refusal) {
    return state != nullptr && refusal.state == state;
  });
  return found == kRefusals.end() ? kOtherRefusal : *found;
}

// ---- the connection

class PostgresConnection final : public SqlConnection {
 public:
  PostgresConnection(const std::string& url, std::chrono::milliseconds look)
      : url_(url), name_(postgres_name(url)), look_(look) {
    open();
  }

  std::vector<SqlRow> execute(const std::string& text, const std::vector<SqlValue>& parameters = {}) override {
    const Parameters given(parameters);
    return rows_in(run([&] {
                     return PQexecParams(connection_.get(), text.c_str(), static_cast<int>(given.values.size()),
                                         given.types.data(), given.values.data(), given.lengths.data(),
                                         given.formats.data(), 0);
                   }).get());
  }

  [[nodiscard]] std::string_view now() const override {
    return "(extract(epoch FROM clock_timestamp())::double precision)";
  }

  bool wait_for_change(std::chrono::milliseconds longest) override {
    const auto end = SteadyClock::now() + longest;
    if (is_lost()) open();
    if (!listens_) listen();
    while (true) {
      take_notices();
      const auto now = SteadyClock::now();
      if (changed_ || now - looked_ >= look_) {
        changed_ = false;
        looked_ = now;
        return true;
      }
      if (now >= end || !sleep_until_bytes_come(std::min<SteadyClock::time_point>(end, looked_ + look_) - now)) {
        return false;
      }
      if (PQconsumeInput(connection_.get()) == 0) open();
    }
  }

  std::int64_t schema_version() override {
    // What to_regclass() says may be older than what others have committed.
    constexpr const char* kThere =
        "SELECT 1 FROM pg_catalog.pg_tables WHERE tablename='unianimate_schema' AND"
        " schemaname=ANY(current_schemas(false))";
    if (execute(kThere).empty()) return 0;
    const std::vector<SqlRow> rows = execute("SELECT version FROM unianimate_schema");
    return rows.empty() ? 0 : rows.front().number(0);
  }
  void set_schema_version(std::int64_t version) override {
    execute("CREATE TABLE IF NOT EXISTS unianimate_schema (version BIGINT NOT NULL)");
    execute("DELETE FROM unianimate_schema");
    execute("INSERT INTO unianimate_schema VALUES ($1)", {SqlValue(version)});
  }

 private:
  /// One at a time, by a lock whose number stands for all queues. A process that stops in the middle, with the lock, is
  /// shut out before the others have waited too long.
  void begin(Keeping keeping) override {
    std::string text =
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout='5s'; "
        "SET LOCAL lock_timeout='10s'; SELECT pg_advisory_xact_lock(8461816617060887905)";
    if (keeping == Keeping::kUnlessItsMachineFails) text += "; SET LOCAL synchronous_commit=off";
    try {
      run_text(text);
    } catch (const Error&) {
      roll_back();
      throw;
    }
    in_transaction_ = true;
  }
  void commit() override {
    run_text("NOTIFY unianimate_queue; COMMIT");
    in_transaction_ = false;
  }
  void roll_back() noexcept override {
    in_transaction_ = false;
    if (PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) return;
    const Result ignored(PQexec(connection_.get(), "ROLLBACK"));
  }

  /// Makes the connection, or makes it anew.
  void open() {
    constexpr int kOldest = 120000;
    // Later ones count: what the URL says comes before what it has no say in. So long as these times, and no longer,
    // a machine that has vanished is waited for.
    const std::array<std::pair<const char*, const char*>, 10> options{{{"connect_timeout", "5"},
                                                                       {"keepalives_idle", "5"},
                                                                       {"keepalives_interval", "3"},
                                                                       {"keepalives_count", "2"},
                                                                       {"tcp_user_timeout", "10000"},
                                                                       {"target_session_attrs", "read-write"},
                                                                       {"fallback_application_name", "unianimate"},
                                                                       {"dbname", url_.c_str()},
                                                                       {"client_encoding", "UTF8"},
                                                                       {nullptr, nullptr}}};
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : options) {
      names.push_back(name);
      values.push_back(value);
    }
    connection_.reset(PQconnectdbParams(names.data(), values.data(), 1));
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
    if (is_lost()) {
      throw DatabaseUnavailable("the queue's database {} cannot be reached: {}", printable(name_),
                                printable(in_one_line(PQerrorMessage(connection_.get())), kLongestReason));
    }
    if (PQserverVersion(connection_.get()) < kOldest) {
      throw Error(ErrorKind::kEnvironment, "the queue's database {} is too old: expected PostgreSQL 12 or later",
                  printable(name_));
    }
    if (listens_) listen();
  }

  /// From here on others are heard of; what they did before is not known.
  void listen() {
    listens_ = false;
    run_text("LISTEN unianimate_queue");
    listens_ = true;
    changed_ = true;
  }

  [[nodiscard]] bool is_lost() const { return PQstatus(connection_.get()) != CONNECTION_OK; }
  /// Who cannot send is told so before the connection is.
  [[nodiscard]] bool is_lost(const PGresult* result) const {
    return is_lost() ||
           (PQresultStatus(result) == PGRES_FATAL_ERROR && PQresultErrorField(result, PG_DIAG_SQLSTATE) == nullptr);
  }

  Result run_text(const std::string& text) {
    return run([&] { return PQexec(connection_.get(), text.c_str()); });
  }

  /// Once more where the connection had been lost, unless a transaction went with it.
  Result run(const std::function<PGresult*()>& send) {
    Result result(send());
    if (is_lost(result.get()) && !in_transaction_) {
      open();
      result.reset(send());
    }
    require(result.get());
    take_notices();
    return result;
  }

  void require(const PGresult* result) const {
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return;
    const Refusal& refusal = refusal_of(PQresultErrorField(result, PG_DIAG_SQLSTATE));
    const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const std::string reason =
        printable(in_one_line(primary == nullptr ? PQerrorMessage(connection_.get()) : primary), kLongestReason);
    constexpr const char* kSentence = "the queue's database {} {}: {}";
    if (refusal.state == kDiskFull) throw DatabaseFull(kSentence, printable(name_), refusal.what, reason);
    if (refusal.kind == ErrorKind::kEnvironment) {
      throw DatabaseUnavailable(kSentence, printable(name_), refusal.what, reason);
    }
    throw Error(refusal.kind, kSentence, printable(name_), refusal.what, reason);
  }

  /// Those that have come, or they would heap up.
  void take_notices() {
    while (const auto notice = std::unique_ptr<PGnotify, FreeByPostgres>(PQnotifies(connection_.get()))) {
      if (notice->be_pid != PQbackendPID(connection_.get())) changed_ = true;
    }
  }

  /// At most so long. False where a signal came, which may be why somebody waits no longer.
  [[nodiscard]] bool sleep_until_bytes_come(SteadyClock::duration longest) const {
    constexpr std::int64_t kMost = 1'000'000'000;
    const std::int64_t milliseconds = std::chrono::ceil<std::chrono::milliseconds>(longest).count();
    pollfd socket{PQsocket(connection_.get()), POLLIN, 0};
    return ::poll(&socket, 1, static_cast<int>(std::min(milliseconds, kMost))) >= 0;
  }

  static constexpr std::size_t kLongestReason = 500;

  std::string url_;
  std::string name_;
  std::chrono::milliseconds look_;
  std::unique_ptr<PGconn, FinishPostgres> connection_;
  bool in_transaction_ = false;
  bool listens_ = false;
  bool changed_ = false;
  SteadyClock::time_point looked_ = SteadyClock::now();
};

}  // namespace

std::unique_ptr<SqlConnection> open_postgres(const std::string& url, std::chrono::milliseconds look) {
  return std::make_unique<PostgresConnection>(url, look);
}

std::string postgres_name(const std::string& url) {
  const UrlOptions options = read_url(url);
  const auto part = [&](std::string_view before, std::string_view name, std::string_view after) {
    const std::string value = option_of(options.get(), name);
    return value.empty() ? "" : fmt::format("{}{}{}", before, value, after);
  };
  return "postgresql://" + part("", "user", "@") + part("", "host", "") + part(":", "port", "") +
         part("/", "dbname", "");
}

}  // namespace unianimate::queue
