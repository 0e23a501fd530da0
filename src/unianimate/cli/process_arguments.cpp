#include "unianimate/cli/process_arguments.h"

#include "unianimate/core/error.h"
#include "unianimate/distributed/group_environment.h"
#include "unianimate/distributed/local_launch.h"

namespace unianimate::cli {

void visit(fields::Archive& archive, ProcessArguments& arguments) {
  constexpr double kMostProcesses = 256;
  archive("processes", arguments.processes, fields::range(1, kMostProcesses),
          "Processes on this machine that share the work; more machines: docs/distributed.md");
}

bool is_run_by_copies(int processes, Session& session) {
  if (processes == 1 || distributed::read_group_environment().size > 1) return false;
  const distributed::LocalOutcome outcome = distributed::run_on_this_machine(processes, session.arguments);
  session.exit_status = outcome.exit_status;
  if (outcome.exit_status == 0) return true;
  std::string message = outcome.message;
  if (message.empty()) {
    message = outcome.exit_status == exit_status(ErrorKind::kCancelled)
                  ? "stopped at once; what was saved can be gone on with"
                  : "a process ended early and did not say why";
  }
  session.reporter->failed(message, outcome.exit_status);
  return true;
}

void make_reporter_of_rank(const MessageArguments& messages, Session& session) {
  const bool first = distributed::read_group_environment().rank == 0;
  session.reporter = make_reporter(messages.json && first, messages.quiet || !first);
}

std::unique_ptr<distributed::ProcessGroup> join_processes(family::RuntimeOptions& runtime) {
  auto group = distributed::ProcessGroup::from_environment(at::kCPU);
  if (runtime.compute.device.is_cuda()) runtime.compute.device = cuda_device_of(group->local_rank());
  return group;
}

}  // namespace unianimate::cli
