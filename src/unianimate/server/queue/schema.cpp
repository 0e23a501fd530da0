#include "unianimate/server/queue/schema.h"

#include "unianimate/core/error.h"

namespace unianimate::queue {

std::span<const SchemaStep> schema_steps() {
  static const std::vector<SchemaStep> kSteps{
      {
          "CREATE TABLE counter (revision BIGINT NOT NULL)",
          "INSERT INTO counter VALUES (0)",
          "CREATE TABLE asset (id TEXT PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, bytes BIGINT NOT NULL,"
          " type TEXT NOT NULL, name TEXT, created DOUBLE PRECISION NOT NULL, used DOUBLE PRECISION NOT NULL)",
          // `place` is the revision with which the job was queued: an order that clocks cannot tie.
          "CREATE TABLE job (id TEXT PRIMARY KEY, kind TEXT NOT NULL, lane TEXT NOT NULL, state TEXT NOT NULL,"
          " priority INT NOT NULL, revision BIGINT NOT NULL, label TEXT, request TEXT NOT NULL, poses_job TEXT,"
          " progress TEXT, result TEXT, problem TEXT, attempt INT NOT NULL DEFAULT 0,"
          " idle_attempts INT NOT NULL DEFAULT 0, worker TEXT, device TEXT, lease_until DOUBLE PRECISION,"
          " not_before DOUBLE PRECISION, cancel_requested INT NOT NULL DEFAULT 0, created DOUBLE PRECISION NOT NULL,"
          " queued DOUBLE PRECISION NOT NULL, place BIGINT NOT NULL, started DOUBLE PRECISION,"
          " finished DOUBLE PRECISION)",
          "CREATE INDEX job_claim ON job (lane, state, priority DESC, place)",
          "CREATE UNIQUE INDEX job_revision ON job (revision)",
          "CREATE TABLE job_asset (job TEXT NOT NULL, asset TEXT NOT NULL, PRIMARY KEY (job, asset))",
          "CREATE INDEX job_asset_asset ON job_asset (asset)",
          "CREATE TABLE idempotency (key TEXT PRIMARY KEY, body_sha256 TEXT NOT NULL, job TEXT NOT NULL,"
          " created DOUBLE PRECISION NOT NULL)",
          "CREATE TABLE worker (id TEXT PRIMARY KEY, lane TEXT NOT NULL, host TEXT, pid INT, device TEXT, dtype TEXT,"
          " usable_bytes BIGINT, operations_per_second DOUBLE PRECISION, job TEXT, seen DOUBLE PRECISION NOT NULL)",
          "CREATE TABLE session (sha256 TEXT PRIMARY KEY, created DOUBLE PRECISION NOT NULL)",
          "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
      },
      {
          "CREATE TABLE notice (created DOUBLE PRECISION NOT NULL, text TEXT NOT NULL)",
          "ALTER TABLE job ADD COLUMN setup TEXT",
          // When it was put back into the queue: so long it waits for who can go on with it.
          "ALTER TABLE job ADD COLUMN released DOUBLE PRECISION",
          "ALTER TABLE worker ADD COLUMN setup TEXT",
          "ALTER TABLE worker ADD COLUMN resident_bytes BIGINT",
      },
      {"ALTER TABLE worker ADD COLUMN gpu TEXT"},
  };
  return kSteps;
}

void upgrade_schema(SqlConnection& connection, std::span<const SchemaStep> steps) {
  const auto newest = static_cast<std::int64_t>(steps.size());
  if (connection.schema_version() == newest) return;
  Transaction transaction(connection);
  const std::int64_t version = connection.schema_version();
  if (version > newest || version < 0) {
    throw Error(ErrorKind::kUsage,
                "the queue's database has version {} of the tables and this program knows up to {}: use the program "
                "that made it, or a later one",
                version, newest);
  }
  for (const SchemaStep& step : steps.subspan(static_cast<std::size_t>(version))) {
    for (const std::string& statement : step) connection.execute(statement);
  }
  connection.set_schema_version(newest);
  transaction.commit();
}

}  // namespace unianimate::queue
