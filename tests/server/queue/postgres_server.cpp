#include "server/queue/postgres_server.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <regex>
#include <stdexcept>

#include "unianimate/server/queue/sql_connection.h"

namespace unianimate::testing {

namespace fs = std::filesystem;

namespace {

/// Where Debian has the newest one's programs; empty where there is none.
fs::path programs() {
  std::error_code none;
  fs::path newest;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    if (fs::exists(entry.path() / "bin/initdb", none)) newest = std::max(newest, entry.path() / "bin");
  }
  return newest;
}

/// As the user whom the server is to run as, which must not be root. What it says goes to a file.
void run(const std::string& command, const fs::path& log) {
  const char* const as_user = ::geteuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --clear-groups -- " : "";
  const int status = std::system(fmt::format("cd / && {}{} >>{} 2>&1", as_user, command, log.string()).c_str());
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error(fmt::format("'{}' failed, see {}", command, log.string()));
  }
}

std::string percent(const std::string& text) {
  return std::regex_replace(text, std::regex("/"), "%2F");
}

}  // namespace

bool PostgresServer::is_installed() {
  return !programs().empty() && (::geteuid() != 0 || ::getpwnam("postgres") != nullptr);
}

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

PostgresServer::PostgresServer() {
  if (!is_installed()) throw std::runtime_error("there is no server of PostgreSQL here");
  const passwd* const user = ::getpwnam("postgres");
  const bool is_root = ::geteuid() == 0 && user != nullptr;
  if (is_root && ::chown(folder_.path().c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error("chown failed");
  }
  run(fmt::format("{}/initdb -D {}/data -U postgres -A trust -E UTF8 --no-locale --no-sync", programs().string(),
                  folder_.path().string()),
      folder_ / "log");
  start();
}

PostgresServer::~PostgresServer() {
  try {
    kill();
  } catch (const std::runtime_error&) {
    // It was stopped before.
  }
}

void PostgresServer::start() {
  run(fmt::format("{0}/pg_ctl -D {1}/data -w -l {1}/server.log -o \"-k {1} -c listen_addresses='' -c fsync=off\" start",
                  programs().string(), folder_.path().string()),
      folder_ / "log");
}

void PostgresServer::kill() {
  run(fmt::format("{}/pg_ctl -D {}/data -w -m immediate stop", programs().string(), folder_.path().string()),
      folder_ / "log");
}

std::string PostgresServer::new_database(const std::string& account) {
  const std::string host = fmt::format("{}/", percent(folder_.path().string()));
  const std::string name = fmt::format("test{}", ++databases_);
  queue::open_postgres("postgresql://postgres@" + host + "postgres")->execute("CREATE DATABASE " + name);
  return fmt::format("postgresql://{}{}{}", account, host, name);
}

}  // namespace unianimate::testing
