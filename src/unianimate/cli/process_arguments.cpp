#include "unianimate/cli/process_arguments.h"

#include <CLI/CLI.hpp>
#include <chrono>

#include "unianimate/cli/integer_option.h"
#include "unianimate/distributed/group_environment.h"
#include "unianimate/distributed/local_launch.h"

namespace unianimate::cli {

void add_processes_option(CLI::App& command, int& processes) {
  constexpr int kMostProcesses = 256;
  add_integer_option(command, "--processes", processes,
                     "Processes on this machine that share the work; more machines: docs/distributed.md")
      ->check(CLI::Range(1, kMostProcesses));
}

bool is_run_by_copies(int processes, Session& session) {
  if (processes == 1 || distributed::read_group_environment().size > 1) return false;
  session.exit_status = distributed::run_on_this_machine(processes, session.arguments);
  return true;
}

void make_reporter_of_rank(bool json, bool quiet, Session& session) {
  const bool first = distributed::read_group_environment().rank == 0;
  session.reporter = make_reporter(json && first, quiet || !first);
}

std::unique_ptr<distributed::ProcessGroup> join_processes(pipeline::RuntimeOptions& runtime) {
  // While the first process decodes, the others wait for it.
  distributed::Patience patience;
  patience.to_answer = std::chrono::hours(24);
  auto group = distributed::ProcessGroup::from_environment(at::kCPU, patience);
  if (runtime.compute.device.is_cuda()) runtime.compute.device = cuda_device_of(group->local_rank());
  return group;
}

}  // namespace unianimate::cli
