// unianimate evaluate model: how near a model's videos are to the truth.
#pragma once

#include "unianimate/cli/session.h"

namespace unianimate::cli {

/// Adds `model` to the command `evaluate`.
void add_evaluate_model_command(CLI::App& evaluate, Session& session);

}  // namespace unianimate::cli
