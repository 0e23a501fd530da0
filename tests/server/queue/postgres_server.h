// A server of PostgreSQL's for tests: no service, no port, nothing that is left behind.
#pragma once

#include <string>

#include "support/temporary_folder.h"

namespace unianimate::testing {

/// Listens on a Unix socket in a folder of its own, and keeps nothing where the machine fails.
class PostgresServer {
 public:
  /// Throws std::runtime_error where there is none on this machine, or it does not start.
  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// Whether this machine has one (the Debian package "postgresql").
  static bool is_installed();
  /// That of this process, started when it is first asked for.
  static PostgresServer& shared();

  /// URL of an empty database. `account`: what stands before the host, "user:password@"; every password is right.
  [[nodiscard]] std::string new_database(const std::string& account = "postgres@");

  /// Stops it at once, as if its machine had failed, until start().
  void kill();
  void start();

 private:
  TemporaryFolder folder_;
  int databases_ = 0;
};

}  // namespace unianimate::testing
