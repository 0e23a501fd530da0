// unianimate evaluate long: which way of making long videos is nearest to the truth.
#pragma once

#include "unianimate/cli/session.h"

namespace unianimate::cli {

/// Adds `long` to the command `evaluate`.
void add_evaluate_long_command(CLI::App& evaluate, Session& session);

}  // namespace unianimate::cli
