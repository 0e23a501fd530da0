// unianimate worker: makes what is in the queue.
#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <array>
#include <optional>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/interruption.h"
#include "unianimate/cli/queue_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/core/error.h"
#include "unianimate/fields/words.h"
#include "unianimate/server/worker/worker.h"
#include "unianimate/studio/model_choice.h"

namespace unianimate::cli {

namespace {

constexpr const char* kWorkerExamples = R"(Examples:
  unianimate worker
  unianimate worker --data /srv/unianimate --models /srv/models --dtype bf16
  unianimate worker --once
  unianimate worker --queue postgresql://unianimate@db.example.org/queue --data /shared/unianimate --idle-exit 600

It takes the jobs of 'unianimate queue add' one after another, with the models open in between. Asked to stop, it saves
what is done of its job and gives it back, so that another worker goes on with it; killed, it loses a step at most.)";

enum class Lane { kVideo, kPose };
constexpr auto words(Lane /*of*/) {
  return std::array<fields::Word<Lane>, 2>{{{Lane::kVideo, "video"}, {Lane::kPose, "pose"}}};
}

struct WorkerArguments {
  Lane lane = Lane::kVideo;
  bool once = false;
  std::optional<double> idle_exit_seconds;
  std::int64_t parent = 0;
  std::string id;
};

void visit(fields::Archive& archive, WorkerArguments& arguments) {
  constexpr auto kGroup = fields::group("Queue");
  archive("lane", arguments.lane, kGroup, "Which jobs to take: video, or pose (poses alone)");
  archive("once", arguments.once, kGroup, "End after one job");
  archive("idle_exit", arguments.idle_exit_seconds, kGroup, fields::at_least(0), fields::type("S"),
          fields::expects("seconds such as 600"), "End after so many seconds without a job");
  archive("parent", arguments.parent, kGroup, fields::at_least(0), fields::type("PID"), fields::kUntoldDefault,
          "End, between two jobs, once this process, which started the worker, is gone");
  archive("id", arguments.id, kGroup, fields::type("NAME"),
          "What this worker is called in the queue, and no other (default: the host's name and random digits)");
}

void work(const fields::CommandLine& options, Session& session) {
  // What clients send is decoded here: no memory of theirs is left in a core file.
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  keep_to_owner();
  const auto machine = options.taken<RuntimeArguments>();
  const auto arguments = options.taken<WorkerArguments>();
  const auto where = options.taken<QueueArguments>();
  const queue::QueuePlace place = queue_place(where);
  const std::filesystem::path models = usable_models(machine.models);
  const store::DataFolder folder = open_data_folder(where);
  queue::JobQueue queue = open_queue(folder, place);
  worker::StudioRunner runner(
      folder, queue, {models, studio::models_folder(machine.models), prepare_runtime(machine), machine.threads});
  session.reporter->note(fmt::format("jobs of the lane {} in {} are done on {} with the models in {}",
                                     fields::word(arguments.lane),
                                     printable(place.is_shared() ? queue::place_name(place) : folder.root().string()),
                                     runner.device(), printable(models.string())));
  worker::WorkerOptions worker_options;
  worker_options.lane = fields::word(arguments.lane);
  worker_options.id = arguments.id;
  worker_options.once = arguments.once;
  worker_options.parent = arguments.parent;
  worker_options.idle_exit_seconds = arguments.idle_exit_seconds;
  worker::Worker([&] { return open_queue(folder, place); }, queue, folder, runner, worker_options,
                 [] { return interrupted(); }, *session.reporter)
      .run();
}

}  // namespace

CommandWork add_worker_command(CLI::App& command, Session& session) {
  const auto options = std::make_shared<fields::CommandLine>();
  options->add(command, QueueArguments());
  options->add(command, WorkerArguments());
  options->add(command, RuntimeArguments(), fields::all_but({"dry_run", "profile"}));
  command.footer(kWorkerExamples);
  return {[options, &session] { work(*options, session); }, options};
}

}  // namespace unianimate::cli
