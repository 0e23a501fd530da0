// The tables of the queue, and how those of earlier versions become them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "unianimate/server/queue/sql_connection.h"

namespace unianimate::queue {

/// Statements that make one version of the schema out of the one before.
using SchemaStep = std::vector<std::string>;

/// The step at index i makes version i + 1.
std::span<const SchemaStep> schema_steps();

/// Makes the tables, or takes those of an earlier version forward, all or nothing; several processes may do this at
/// once. Throws Error(kUsage) where the database is of a later version.
void upgrade_schema(SqlConnection& connection, std::span<const SchemaStep> steps = schema_steps());

}  // namespace unianimate::queue
