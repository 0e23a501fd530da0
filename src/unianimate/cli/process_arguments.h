// Commands whose work several processes share.
#pragma once

#include <memory>

#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/cli/session.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/family/runtime_options.h"
#include "unianimate/fields/archive.h"

namespace unianimate::cli {

struct ProcessArguments {
  int processes = 1;
};
void visit(fields::Archive& archive, ProcessArguments& arguments);

/// Runs so many copies of this program to their end, where that is asked for and this is none of them; the session's
/// exit status is then theirs, and what they end with is told.
bool is_run_by_copies(int processes, Session& session);

/// Only the first process talks.
void make_reporter_of_rank(const MessageArguments& messages, Session& session);

/// The group of the environment, whose tensors travel from the CPU. Each process takes the GPU of its local rank.
/// Throws as ProcessGroup::from_environment() does.
std::unique_ptr<distributed::ProcessGroup> join_processes(family::RuntimeOptions& runtime);

}  // namespace unianimate::cli
