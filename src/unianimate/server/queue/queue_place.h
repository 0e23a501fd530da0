// Where the queue lies.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "unianimate/server/queue/sql_connection.h"

namespace unianimate::queue {

/// A file of SQLite's for one machine, or a database of PostgreSQL's that several share.
struct QueuePlace {
  std::filesystem::path file;
  std::string url;  ///< "postgresql://…", perhaps with a password; empty: the file

  [[nodiscard]] bool is_shared() const { return !url.empty(); }
};

/// Throws as SqlConnection, and Error(kUsage) for a URL that is none of PostgreSQL's.
std::unique_ptr<SqlConnection> open_database(const QueuePlace& place);

/// To be told: the file, or the URL without what is secret. Throws Error(kUsage) likewise.
std::string place_name(const QueuePlace& place);

}  // namespace unianimate::queue
