// unianimate queue: jobs that workers do one after another.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/queue_arguments.h"
#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/fields/json_archive.h"
#include "unianimate/server/queue/job_json.h"
#include "unianimate/server/store/asset_store.h"
#include "unianimate/server/store/removal.h"
#include "unianimate/server/store/resumption.h"
#include "unianimate/server/worker/job_request.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/video_order_fields.h"

namespace unianimate::cli {

using nlohmann::ordered_json;

namespace {

constexpr const char* kQueueExamples = R"(Examples:
  unianimate queue add --reference person.jpg --motion dance.mp4 --label first
  unianimate queue add --reference person.jpg --motion dance.mp4 --size 768x1216 --priority 5 --format webm
  unianimate queue list
  unianimate queue show j4k…
  unianimate queue cancel j4k…
  unianimate queue resume j4k…
  unianimate queue delete j4k… j5m…

'unianimate worker' makes the videos, one after another. The files are copied into the queue's folder, so that the
originals may go; the video lies in the folder that 'queue show' tells.)";

struct QueueAddArguments {
  std::string label;
  std::int64_t priority = 0;
  worker::ResultFormat format = worker::ResultFormat::kMp4;
  std::string models;
  bool json = false;
};

constexpr auto kQueueGroup = fields::group("Queue");
constexpr const char* kJsonHelp = "One JSON object a line";

void visit(fields::Archive& archive, QueueAddArguments& arguments) {
  archive("label", arguments.label, kQueueGroup, "A name for people");
  archive("priority", arguments.priority, kQueueGroup, fields::range(-queue::kHighestPriority, queue::kHighestPriority),
          "Jobs of a higher one are done first, of the same one in their order");
  archive("format", arguments.format, kQueueGroup, "Kind of video: mp4, webm, mkv (lossless) or gif");
  archive("models", arguments.models, kQueueGroup, fields::type("DIR"),
          "Folder of the workers' models: the job keeps the name of the first, whatever comes there while it waits "
          "(default: $UNIANIMATE_MODELS, else those that the worker has then)");
  archive("json", arguments.json, kQueueGroup, kJsonHelp);
}

/// Of the commands on jobs that are there.
struct QueueJobArguments {
  std::string id;
  std::vector<std::string> ids;  ///< of those that take several
  QueueArguments place;
  bool json = false;
  bool fresh = false;

  /// Of a queue that is there. Throws Error(kUsage) where there is none.
  [[nodiscard]] store::DataFolder open() const {
    const std::filesystem::path root = data_root(place);
    std::error_code ignored;
    // Where the queue is elsewhere, the folder is that of its files.
    const bool is_shared = queue_place(place).is_shared();
    if (!std::filesystem::exists(is_shared ? root : root / store::kDatabaseName, ignored)) {
      throw Error(ErrorKind::kUsage, "there is no queue in {}; 'unianimate queue add' begins one, --data says where",
                  printable(root.string()));
    }
    return store::DataFolder(root);
  }

  /// With jobs of workers that are gone as these have left them.
  [[nodiscard]] queue::JobQueue open_jobs(const store::DataFolder& folder) const {
    queue::JobQueue queue = open_queue(folder, queue_place(place));
    queue.lose_expired();
    return queue;
  }
};

void print_job_json(queue::JobQueue& queue, const queue::JobRow& job) {
  ordered_json shown = queue::job_json(job, queue.position(job.id));
  shown["request"] = worker::shown_request(job.request);
  print_json_line(shown);
}

// ---- add

/// What was given of the order, as it stands in the row once its files are stored.
ordered_json given_order(const fields::CommandLine& options) {
  const fields::Filter allowed = worker::video_fields();
  const auto given = [&](const fields::Field& field) { return allowed(field) && options.gave(field.name); };
  studio::VideoOrder order;
  options.take(order);
  return fields::write_json(order, given);
}

/// Throws for whatever shows before models are opened, before anything is stored. `models`: their folder; empty where
/// nobody says which.
void check_order(const ordered_json& order, const worker::RowOptions& row, const std::filesystem::path& models) {
  // Names of files may hold what JSON cannot.
  ordered_json named = order;
  for (const char* name : worker::kFileFields) {
    if (named.contains(name)) named[name] = name;
  }
  worker::check_request(
      queue::JobKind::kAnimate, worker::request_text(named, row), models,
      [&](const std::string& name) { return order.at(name).get<std::string>(); },
      [](const fields::Field& field) { return field.option_name(); });
}

worker::RowOptions row_options(const QueueAddArguments& arguments, const std::filesystem::path& models) {
  worker::RowOptions row{arguments.format};
  if (models.empty()) return row;
  worker::settle_models(row.models, models, [](const std::string& /*part*/, const Error& error) { throw error; });
  return row;
}

void add(const fields::CommandLine& options) {
  keep_to_owner();
  const auto arguments = options.taken<QueueAddArguments>();
  ordered_json order = given_order(options);
  const std::filesystem::path models =
      studio::names_models(arguments.models) ? usable_models(arguments.models) : std::filesystem::path();
  const worker::RowOptions row = row_options(arguments, models);
  check_order(order, row, models);
  const auto place = options.taken<QueueArguments>();
  const queue::QueuePlace database = queue_place(place);
  const store::DataFolder folder = open_data_folder(place);
  queue::JobQueue queue = open_queue(folder, database);
  queue::NewJob job;
  job.priority = arguments.priority;
  if (!arguments.label.empty()) job.label = arguments.label;
  for (const char* name : worker::kFileFields) {
    if (!order.contains(name)) continue;
    const queue::AssetRow asset = store::store_file(folder, queue, order.at(name).get<std::string>());
    order[name] = asset.id;
    job.assets.push_back(asset.id);
  }
  job.request = worker::request_text(order, row);
  const queue::JobRow added = queue.add(job).job;
  if (arguments.json) return print_job_json(queue, added);
  print(stdout, "{}\n", added.id);
}

// ---- list, show

/// "sample, 12 of 62, about 14 min left"
std::string progress_of(const queue::JobRow& job) {
  const auto progress = nlohmann::json::parse(job.progress.value_or("null"), nullptr, false);
  if (!progress.is_object()) return "";
  std::string text = progress.value("phase", "");
  const std::int64_t total = progress.value("total", std::int64_t{0});
  if (total > 0) text += fmt::format(", {} of {}", progress.value("done", std::int64_t{0}), total);
  const auto left = progress.find("seconds_left");
  if (left != progress.end() && left->is_number()) {
    text += fmt::format(", about {} left", format_duration(left->get<double>()));
  }
  return text;
}

std::string text_in(const std::optional<std::string>& object, const char* key) {
  const auto parsed = nlohmann::json::parse(object.value_or("null"), nullptr, false);
  if (!parsed.is_object()) return "";
  const auto found = parsed.find(key);
  return found != parsed.end() && found->is_string() ? found->get<std::string>() : "";
}

/// What a person wants to know of it in its state.
std::string news_of(queue::JobQueue& queue, const queue::JobRow& job) {
  switch (job.state) {
    case queue::JobState::kQueued:
      return fmt::format("number {} in the queue", queue.position(job.id).value_or(0) + 1);
    case queue::JobState::kRunning:
      return job.cancel_requested ? "is being cancelled" : progress_of(job);
    case queue::JobState::kCompleted:
      return text_in(job.result, "file");
    case queue::JobState::kFailed:
      return text_in(job.problem, "detail");
    case queue::JobState::kCancelled:
    case queue::JobState::kRemoved:
      return "";
  }
  return "";
}

void list(const QueueJobArguments& arguments) {
  queue::JobQueue queue = arguments.open_jobs(arguments.open());
  queue::JobFilter part;
  auto jobs = queue.list(part);
  if (jobs.empty() && !arguments.json) print(stdout, "there are no jobs in the queue\n");
  while (!jobs.empty()) {
    for (const queue::JobRow& job : jobs) {
      if (arguments.json) {
        print_job_json(queue, job);
        continue;
      }
      print(stdout, "{}  {:<8}{:<10}{}{}{}\n", job.id, queue::word(job.kind), queue::word(job.state),
            printable(job.label.value_or("")), job.label ? ": " : "", printable(news_of(queue, job), kMessageBytes));
    }
    part.before = jobs.back().id;
    jobs = queue.list(part);
  }
}

queue::JobRow find(queue::JobQueue& queue, const std::string& id) {
  const auto job = queue.find(id);
  if (!job)
    throw Error(ErrorKind::kUsage, "there is no job {} in the queue; see 'unianimate queue list'", printable(id));
  return *job;
}

void show(const QueueJobArguments& arguments) {
  const store::DataFolder folder = arguments.open();
  queue::JobQueue queue = arguments.open_jobs(folder);
  const queue::JobRow job = find(queue, arguments.id);
  if (arguments.json) return print_job_json(queue, job);
  const auto row = [](const char* name, const std::string& value) {
    if (!value.empty()) print(stdout, "  {:<10}{}\n", name, printable(value, kMessageBytes));
  };
  print(stdout, "{}\n", job.id);
  row("kind", std::string(queue::word(job.kind)));
  row("label", job.label.value_or(""));
  row("state", std::string(queue::word(job.state)));
  row("progress", job.state == queue::JobState::kCompleted ? "" : news_of(queue, job));
  for (const queue::AssetRow& asset : queue.assets_of(job.id)) {
    row("file", fmt::format("{}, {}, {}", asset.name.value_or(asset.id), asset.type, format_bytes(asset.bytes)));
  }
  row("request", worker::shown_request(job.request).dump());
  row("begun on", job.device.value_or(""));
  row("with", job.setup.value_or(""));
  row("attempts", fmt::format("{}", job.attempt));
  row("worker", job.worker.value_or(""));
  row("queued", queue::time_text(job.queued));
  row("started", job.started ? queue::time_text(*job.started) : "");
  row("finished", job.finished ? queue::time_text(*job.finished) : "");
  if (const std::string file = text_in(job.result, "file"); !file.empty()) {
    row("video", (folder.job(job.id) / file).string());
  }
}

// ---- cancel, resume

void cancel(const QueueJobArguments& arguments) {
  queue::JobQueue queue = arguments.open_jobs(arguments.open());
  const queue::JobRow before = find(queue, arguments.id);
  const auto job = queue.cancel(arguments.id);
  if (!job) {
    throw Error(ErrorKind::kUsage, "job {} is {}: only what waits or runs can be cancelled", before.id,
                queue::word(before.state));
  }
  if (arguments.json) return print_job_json(queue, *job);
  print(stdout, "{} {}\n", job->id,
        job->state == queue::JobState::kCancelled ? "is cancelled" : "stops before its next step");
}

void resume(const QueueJobArguments& arguments) {
  const store::DataFolder folder = arguments.open();
  queue::JobQueue queue = arguments.open_jobs(folder);
  find(queue, arguments.id);
  const auto job = store::resume_job(folder, queue, arguments.id, arguments.fresh);
  if (!job) {
    const queue::JobRow now = find(queue, arguments.id);
    throw Error(ErrorKind::kUsage, "job {} is {}: only what failed or was cancelled can be resumed", now.id,
                queue::word(now.state));
  }
  if (arguments.json) return print_job_json(queue, *job);
  print(stdout, "{} is queued again\n", job->id);
}

// ---- delete

void remove(const QueueJobArguments& arguments) {
  const store::DataFolder folder = arguments.open();
  queue::JobQueue queue = arguments.open_jobs(folder);
  // All have to be there before any goes.
  for (const std::string& id : arguments.ids) find(queue, id);
  for (const std::string& id : arguments.ids) {
    const auto job = store::remove_job(folder, queue, id);
    if (!job && queue.find(id)) {
      throw Error(ErrorKind::kUsage, "a job that waits or runs takes the poses of job {}; delete or cancel it first",
                  id);
    }
    if (!job) continue;  // somebody was quicker
    if (arguments.json) {
      print_job_json(queue, *job);
      continue;
    }
    const bool runs = job->state == queue::JobState::kRunning;
    print(stdout, "{} {}\n", id, runs ? "stops before its next step and is then removed" : "is removed");
  }
}

// ---- options

using QueueWork = void (*)(const QueueJobArguments& arguments);

enum class JobsNamed { kNone, kOne, kSeveral };

CommandWork queue_command(CLI::App& command, JobsNamed named, QueueWork work) {
  const auto arguments = std::make_shared<QueueJobArguments>();
  constexpr const char* kIdHelp = "Job, as 'queue list' shows it";
  if (named == JobsNamed::kOne) command.add_option("id", arguments->id, kIdHelp)->type_name("ID")->required();
  if (named == JobsNamed::kSeveral) command.add_option("id", arguments->ids, kIdHelp)->type_name("ID")->required();
  command.add_option("--data", arguments->place.data, "Folder of the queue and its files")->type_name("DIR");
  command.add_option("--queue", arguments->place.queue, "Database of the queue (default: $UNIANIMATE_QUEUE)")
      ->type_name("URL");
  command.add_flag("--json", arguments->json, kJsonHelp);
  if (work == resume) {
    command.add_flag("--fresh", arguments->fresh, "From the start, on any machine, instead of from what is saved");
  }
  command.footer(kQueueExamples);
  return {[arguments, work] { work(*arguments); }};
}

}  // namespace

CommandWork add_queue_command(CLI::App& command, Session& /*session*/) {
  command.require_subcommand(1);
  command.footer(kQueueExamples);
  return {};
}

CommandWork add_queue_add_command(CLI::App& command, Session& /*session*/) {
  const auto options = std::make_shared<fields::CommandLine>();
  options->add(command, studio::VideoOrder(), worker::video_fields());
  options->add(command, QueueArguments());
  options->add(command, QueueAddArguments());
  command.footer(kQueueExamples);
  return {[options] { add(*options); }};
}

CommandWork add_queue_list_command(CLI::App& command, Session& /*session*/) {
  return queue_command(command, JobsNamed::kNone, list);
}

CommandWork add_queue_show_command(CLI::App& command, Session& /*session*/) {
  return queue_command(command, JobsNamed::kOne, show);
}

CommandWork add_queue_cancel_command(CLI::App& command, Session& /*session*/) {
  return queue_command(command, JobsNamed::kOne, cancel);
}

CommandWork add_queue_delete_command(CLI::App& command, Session& /*session*/) {
  return queue_command(command, JobsNamed::kSeveral, remove);
}

CommandWork add_queue_resume_command(CLI::App& command, Session& /*session*/) {
  return queue_command(command, JobsNamed::kOne, resume);
}

}  // namespace unianimate::cli
