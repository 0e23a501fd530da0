// unianimate serve: the queue for browsers and other programs.
#include "unianimate/server/serve/serve.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/interruption.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/queue_arguments.h"
#include "unianimate/cli/request_log.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/core/error.h"
#include "unianimate/server/worker/gpus.h"
#include "unianimate/server/worker/supervisor.h"
#include "unianimate/studio/model_choice.h"

namespace unianimate::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using std::chrono::steady_clock;

namespace {

constexpr const char* kServeExamples = R"(Examples:
  unianimate serve
  unianimate serve --data /srv/unianimate --models /srv/models --dtype bf16
  unianimate serve --listen 0.0.0.0:8720 --host-name videos.example.org
  unianimate serve --queue postgresql://unianimate@db.example.org/queue --data /shared/unianimate

It writes the address to open in a browser first; what stands behind '#' is the token that others need. Jobs are made by
workers that it starts; 'unianimate queue' shows the same jobs. docs/service.md has the interface.)";

struct ServeArguments {
  std::string listen = "127.0.0.1:8720";
  std::optional<std::int64_t> workers;  ///< none: with a shared queue none, else one for each GPU, or one
  bool paused = false;
  std::int64_t max_upload = static_cast<std::int64_t>(http::Limits().upload_bytes);
  std::int64_t max_queue = server::ServeOptions().most_jobs;
  std::optional<std::int64_t> quota;
  std::optional<double> keep_days;
  fs::path token_file;
  bool token = true;
};

/// Options that may be given more than once.
struct ServeNames {
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
};

void visit(fields::Archive& archive, ServeArguments& arguments) {
  constexpr auto kServiceGroup = fields::group("Service");
  constexpr double kMostWorkers = 64;
  archive("listen", arguments.listen, kServiceGroup, fields::type("ADDRESS:PORT"),
          "Where to answer; port 0 is a free one. Traffic is not encrypted");
  archive("workers", arguments.workers, kServiceGroup, fields::range(0, kMostWorkers),
          "Videos to make at once, by a process each; 0: workers are started by somebody else (default: one for each "
          "GPU, else 1; with --queue 0)");
  archive("paused", arguments.paused, kServiceGroup, "Begin no job until somebody lets the queue go on");
  archive("max_upload", arguments.max_upload, kServiceGroup, fields::kBytes, fields::above(0), fields::kUntoldDefault,
          "Largest file that is taken (default: 4GB)");
  archive("max_queue", arguments.max_queue, kServiceGroup, fields::at_least(1), "Most jobs that wait");
  archive("quota", arguments.quota, kServiceGroup, fields::kBytes, fields::above(0),
          "Most that the data folder holds; the oldest finished jobs and unused files go first, then more is refused"
          " (default: 80 % of what was free at the first start, for which unused files go and no jobs)");
  archive("keep", arguments.keep_days, kServiceGroup, fields::at_least(0), fields::type("DAYS"),
          "How long finished jobs stay, the newest 20 longer (default: for ever)");
  archive("token_file", arguments.token_file, kServiceGroup, fields::type("FILE"),
          "File whose first line is the token (default: the one in the folder of --data, made at the first start)");
  archive("token", arguments.token, kServiceGroup, fields::switched_off_by("--no-token"),
          "Ask for no token; only where nobody but this machine can come");
}

server::ServeOptions serve_options(const ServeArguments& arguments, const ServeNames& names,
                                   const queue::QueuePlace& place) {
  server::ServeOptions options;
  options.data = place.file.parent_path();
  options.queue_url = place.url;
  std::tie(options.address, options.port) = server::parse_listen(arguments.listen);
  for (const std::string& name : names.hosts) server::require_host_name(name);
  for (const std::string& origin : names.origins) server::require_origin(origin);
  options.host_names = names.hosts;
  options.origins = names.origins;
  options.token_file = arguments.token_file;
  options.needs_token = arguments.token;
  options.paused = arguments.paused;
  options.upload_bytes = static_cast<std::uint64_t>(arguments.max_upload);
  options.most_jobs = arguments.max_queue;
  if (arguments.quota) options.retention.quota_bytes = static_cast<std::uintmax_t>(*arguments.quota);
  if (arguments.keep_days) options.retention.finished_seconds = *arguments.keep_days * store::Retention::kDay;
  options.version = UNIANIMATE_VERSION;
  return options;
}

// ---- workers

/// Options of this command as they were given, for another.
void add_given(const CLI::App& command, std::initializer_list<const char*> names, std::vector<std::string>& words) {
  for (const char* name : names) {
    const CLI::Option* const option = command.get_option(name);
    if (option->count() == 0) continue;
    words.emplace_back(name);
    words.push_back(option->results().back());
  }
}

/// One for poses, which never waits for a video and leaves the card to those that make videos.
std::vector<worker::SupervisedWorker> workers_of(const CLI::App& command, const ServeArguments& arguments,
                                                 DeviceChoice device, const fs::path& data) {
  const auto gpus = device == DeviceChoice::kCpu ? std::vector<std::string>() : worker::usable_gpus();
  const auto count =
      arguments.workers ? static_cast<std::size_t>(*arguments.workers) : std::max<std::size_t>(gpus.size(), 1);
  if (count == 0) return {};
  std::vector<std::string> all{fs::read_symlink("/proc/self/exe").string(), "worker", "--data", data.string()};
  for (const std::string& word : {std::string("--parent"), fmt::to_string(::getpid())}) all.push_back(word);
  for (const char* word : {"--quiet", "--json"}) {
    if (command.count(word) > 0) all.emplace_back(word);
  }
  std::vector<std::string> pose = all;
  for (const char* word : {"--lane", "pose", "--device", "cpu"}) pose.emplace_back(word);
  add_given(command, {"--models", "--threads"}, pose);
  std::vector<std::string> video = all;
  for (const char* word : {"--lane", "video"}) video.emplace_back(word);
  add_given(command, {"--models", "--device", "--dtype", "--memory-budget", "--threads"}, video);
  std::vector<worker::SupervisedWorker> workers(count, {"video", video});
  for (std::size_t i = 0; i < count && !gpus.empty(); ++i) {
    workers[i].gpu = gpus[i % gpus.size()];
    if (gpus.size() > 1) workers[i].environment.push_back("CUDA_VISIBLE_DEVICES=" + workers[i].gpu);
  }
  workers.push_back({"pose", pose});
  return workers;
}

// ---- what is told

void tell_plan(const ServeArguments& arguments, const server::ServeOptions& options, const queue::QueuePlace& place,
               const std::vector<worker::SupervisedWorker>& workers, bool json) {
  if (!json) {
    print(stdout, "{}\n  {:<10}{}\n  {:<10}{}\n  {:<10}{}\n", arguments.listen, "data",
          printable(options.data.string()), "queue", printable(queue::place_name(place)), "models",
          printable(options.models.string()));
    for (const auto& worker : workers) {
      print(stdout, "  {:<10}{}\n", worker.lane,
            printable(fmt::format("{}{}{}", fmt::join(worker.environment, " "), worker.environment.empty() ? "" : " ",
                                  fmt::join(worker.command, " ")),
                      kMessageBytes));
    }
    return;
  }
  ordered_json commands = ordered_json::array();
  for (const auto& worker : workers)
    commands.push_back({{"lane", worker.lane}, {"command", worker.command}, {"environment", worker.environment}});
  print_json_line(
      {{"event", "service_plan"},
       {"listen", arguments.listen},
       {"data", options.data.string()},
       {"queue", queue::place_name(place)},
       {"models", options.models.string()},
       {"workers", std::move(commands)},
       {"paused", options.paused},
       {"max_upload", options.upload_bytes},
       {"max_queue", options.most_jobs},
       {"quota", options.retention.quota_bytes ? ordered_json(*options.retention.quota_bytes) : ordered_json(nullptr)},
       {"keep",
        options.retention.finished_seconds ? ordered_json(*options.retention.finished_seconds) : ordered_json(nullptr)},
       {"host_names", options.host_names},
       {"origins", options.origins},
       {"token", options.needs_token},
       {"token_file", options.token_file.empty() ? ordered_json(nullptr) : ordered_json(options.token_file.string())}});
}

void tell_address(const std::string& url, bool json) {
  if (json) return print_json_line({{"event", "listening"}, {"url", url}});
  print(stdout, "{}\n", url);
}

// ---- the work

void run_until_interrupted(server::Serving& serving, worker::Supervisor& supervisor) {
  // All is over within 30 seconds: the workers are told first, and save while requests are still answered.
  constexpr std::chrono::seconds kPatience{25};
  constexpr std::chrono::seconds kBetweenLooks{1};
  steady_clock::time_point look_after;
  const auto goes_on = [&] {
    if (interrupted()) {
      supervisor.ask_to_stop();
      return false;
    }
    const auto now = steady_clock::now();
    if (now < look_after) return true;
    look_after = now + kBetweenLooks;
    supervisor.tend(now);
    return true;
  };
  try {
    serving.run(goes_on);
  } catch (...) {
    supervisor.stop(kPatience);
    throw;
  }
  supervisor.stop(kPatience);
}

void serve(const fields::CommandLine& options, const CLI::App& command, const ServeNames& names, Session& session) {
  const auto machine = options.taken<RuntimeArguments>();
  auto arguments = options.taken<ServeArguments>();
  const bool json = machine.messages.json;
  // On stdout others wait for the address.
  if (json) session.reporter = std::make_unique<JsonReporter>(machine.messages.quiet, stderr);
  const queue::QueuePlace place = queue_place(options.taken<QueueArguments>());
  server::ServeOptions settings = serve_options(arguments, names, place);
  RequestLog log(json);
  if (!machine.messages.quiet) {
    settings.log = [&log](const http::Exchange& exchange) { log.add(exchange); };
    settings.note = [&session](const std::string& note) { session.reporter->note(note); };
  }
  if (!arguments.workers && place.is_shared()) arguments.workers = 0;
  std::vector<worker::SupervisedWorker> workers = workers_of(command, arguments, machine.device, settings.data);
  settings.knows_models = !workers.empty() || studio::names_models(machine.models);
  settings.models =
      settings.knows_models ? usable_models(machine.models) : studio::models_to_animate_with(machine.models);
  if (machine.dry_run) return tell_plan(arguments, settings, place, workers, json);
  keep_to_owner();
  // For the workers.
  ::setenv(kQueueVariable, place.url.c_str(), 1);
  const store::DataFolder folder(settings.data);
  queue::JobQueue queue = open_queue(folder, place);
  settings.stopping = [] { return interrupted(); };
  server::Serving serving(std::move(settings));
  tell_address(serving.url(), json);
  if (workers.empty()) {
    session.reporter->note(
        "no workers are started here: jobs wait for a 'unianimate worker' somewhere else, or --workers");
  }
  worker::Supervisor supervisor(queue, std::move(workers), *session.reporter);
  for (const std::string& note : serving.notes()) session.reporter->note(note);
  run_until_interrupted(serving, supervisor);
}

}  // namespace

CommandWork add_serve_command(CLI::App& command, Session& session) {
  const auto options = std::make_shared<fields::CommandLine>();
  const auto names = std::make_shared<ServeNames>();
  options->add(command, ServeArguments());
  command
      .add_option("--host-name", names->hosts,
                  "Another name that the service goes by, with its port where a "
                  "browser shows one; may be given more than once")
      ->type_name("NAME[:PORT]")
      ->allow_extra_args(false)
      ->group("Service");
  command
      .add_option("--allow-origin", names->origins,
                  "Site whose pages may call the service, such as https://example.org; may be given more than once")
      ->type_name("ORIGIN")
      ->allow_extra_args(false)
      ->group("Service");
  options->add(command, QueueArguments());
  options->add(command, RuntimeArguments(),
               fields::only({"models", "device", "dtype", "threads", "memory_budget", "dry_run", "json", "quiet"}));
  command.footer(kServeExamples);
  return {[options, &command, names, &session] { serve(*options, command, *names, session); }, options};
}

}  // namespace unianimate::cli
