// Several processes of this program on this machine.
#pragma once

#include <string>

namespace unianimate::distributed {

/// How a group of copies ended.
struct LocalOutcome {
  int exit_status = 0;
  std::string message;  ///< why, in one sentence; empty where all went well
};

/// Runs `count` copies of this program with the arguments `argv` (null-terminated), each with its RANK, LOCAL_RANK and
/// WORLD_SIZE, and OMP_NUM_THREADS, unless it is set, its share of the cores. They meet at 127.0.0.1 (MASTER_ADDR,
/// MASTER_PORT), where a port is bound before they start and handed to rank 0, and talk to each other over that address
/// only. Waits for them. They read nothing from the standard input.
///
/// When one fails, the others have a moment to notice, are then asked to stop with SIGTERM and at last killed. SIGINT,
/// SIGTERM and SIGHUP (unless ignored) are passed on to all, which then end in their own time; at the second one they
/// are killed if they have not ended within two seconds. SIGTSTP stops all until this process goes on. Should this
/// process be killed, they get SIGTERM.
///
/// Returns exit status and message of the first that failed, and Error(kEnvironment)'s status with a sentence of its
/// own where a signal ended it. The copies must not come here again: call it where read_group_environment().size is 1
/// and `count` is more. Throws Error(kUsage) for a count below 1, Error(kEnvironment) where processes or ports cannot
/// be had.
LocalOutcome run_on_this_machine(int count, char** argv);

/// Gives whoever started this copy what it ends with, to be told once for all. False where it was started by somebody
/// else, or that one is gone.
bool tell_launcher(const std::string& message) noexcept;

}  // namespace unianimate::distributed
