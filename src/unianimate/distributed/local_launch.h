// Several processes of this program on this machine.
#pragma once

namespace unianimate::distributed {

/// Runs `count` copies of this program with the arguments `argv` (null-terminated), each with its RANK, LOCAL_RANK,
/// WORLD_SIZE, MASTER_ADDR, MASTER_PORT set (a free port of 127.0.0.1), and OMP_NUM_THREADS, unless it is set, to its
/// share of the cores. Waits for them. They read nothing from the standard input.
///
/// When one fails, the others have a few seconds to notice, are then asked to stop with SIGTERM and at last killed.
/// SIGINT, SIGTERM and SIGHUP (unless ignored) are passed on to all, which then end in their own time. Should this
/// process be killed, they get SIGTERM.
///
/// Returns the exit status of the first that failed (128 + N where signal N ended it), else 0. The copies must not
/// come here again: call it where read_group_environment().size is 1 and `count` is more. Throws Error(kUsage) for a
/// count below 1, Error(kEnvironment) where processes or ports cannot be had.
int run_on_this_machine(int count, char** argv);

}  // namespace unianimate::distributed
