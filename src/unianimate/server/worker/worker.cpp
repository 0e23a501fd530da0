#include "unianimate/server/worker/worker.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/folder_lock.h"
#include "unianimate/core/memory.h"
#include "unianimate/core/output_file.h"
#include "unianimate/server/queue/job_problem.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/queue/sql_connection.h"
#include "unianimate/server/store/asset_store.h"
#include "unianimate/server/store/removal.h"

namespace unianimate::worker {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

/// None where another attempt may do better.
std::optional<queue::JobProblem> problem_of(const studio::Failure& failure) {
  using enum queue::JobProblem;
  switch (failure.cause) {
    case studio::FailureCause::kDiskFull:
      return kDiskFull;
    case studio::FailureCause::kOutOfMemory:
      return kOutOfMemory;
    case studio::FailureCause::kInputsChanged:
      return kInputsChanged;
    case studio::FailureCause::kOther:
      break;
  }
  if (failure.exit_status == exit_status(ErrorKind::kUsage)) return kInvalidRequest;
  if (failure.exit_status == exit_status(ErrorKind::kInput)) return kInput;
  if (failure.exit_status == exit_status(ErrorKind::kEnvironment)) return kEnvironment;
  return std::nullopt;
}

/// None where a process that hung, and lost the job, still has its folder. What is above it is not made: a data folder
/// that is not there any more would be made anew where it was mounted, without its files.
std::unique_ptr<FolderLock> take_folder(const fs::path& job) {
  std::error_code unmade;
  fs::create_directory(job, unmade);
  if (unmade) {
    throw Error(ErrorKind::kEnvironment, "the folder {} cannot be made: {}", printable(job.string()), unmade.message());
  }
  try {
    return std::make_unique<FolderLock>(job, "worker");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUsage) throw;
    return nullptr;
  }
}

/// Videos of attempts that ended between the file and the row.
void remove_other_results(const fs::path& folder, const fs::path& kept) {
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem); !problem && entry != fs::directory_iterator();
       entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    const bool is_result = name.starts_with("result-") && !name.starts_with("result-preview");
    if (is_result && entry->path() != kept) fs::remove(entry->path(), ignored);
  }
}

/// As it is now, if it was this attempt that did it.
std::optional<queue::JobRow> completed_before(queue::JobQueue& queue, const queue::JobRow& job) {
  auto row = queue.find(job.id);
  if (row && (row->state != queue::JobState::kCompleted || row->attempt != job.attempt)) row.reset();
  return row;
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

std::string host_name() {
  constexpr std::size_t kLongest = 256;
  std::array<char, kLongest> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

std::string new_worker_id() {
  constexpr std::size_t kDigits = 8;
  return fmt::format("{}-{}", host_name(), queue::random_id('w').substr(1, kDigits));
}

Worker::Worker(const OpenQueue& open, queue::JobQueue& queue, const store::DataFolder& folder, JobRunner& runner,
               const WorkerOptions& options, std::function<bool()> stopping, studio::JobObserver& watcher)
    : open_(open),
      queue_(queue),
      folder_(folder),
      runner_(runner),
      options_(options),
      stopping_(std::move(stopping)),
      watcher_(watcher) {
  row_.pid = ::getpid();
  row_.id = options.id.empty() ? new_worker_id() : options.id;
  row_.lane = options.lane;
  row_.host = host_name();
  row_.usable_bytes = runner.usable_bytes();
  const std::string device = runner.device();
  const std::size_t space = device.find(' ');
  row_.device = device.substr(0, space);
  row_.dtype = space == std::string::npos ? "" : device.substr(space + 1);
  row_.setup = runner.setup();
  row_.gpu = runner.gpu();
}

bool Worker::to_end() const {
  return stopping_() || (options_.parent != 0 && ::getppid() != options_.parent);
}

void Worker::run() {
  auto idle_since = std::chrono::steady_clock::now();
  while (!to_end()) {
    const auto job = take_job();
    if (!job) {
      if (!wait_for_job(idle_since)) break;
      continue;
    }
    bool worked = true;
    try {
      worked = work_on(*job);
    } catch (const queue::DatabaseUnavailable& error) {
      // The job goes on in whoever has it next, from what is saved.
      watcher_.note(fmt::format("job {} is lost, as the queue cannot be reached: {}", job->id, error.what()));
    }
    // What a job needs lies scattered over the allocator's arenas, which would grow for hundreds of jobs.
    release_freed_memory();
    if (!worked) continue;
    if (options_.once) break;
    idle_since = std::chrono::steady_clock::now();
  }
  try {
    queue_.forget_worker(row_.id);
  } catch (const Error& error) {
    // Who says nothing is forgotten in time.
    if (error.kind() != ErrorKind::kEnvironment) throw;
  }
}

/// None also while the queue is out of reach: a database that is started anew ends nobody's work.
std::optional<queue::JobRow> Worker::take_job() {
  try {
    say_alive(std::nullopt);
    auto job = has_room() ? queue_.claim(options_.lane, row_.id, runner_.device(), row_.setup) : std::nullopt;
    told_of_queue_ = false;
    return job;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kEnvironment) throw;
    if (!told_of_queue_) watcher_.note(fmt::format("jobs wait until the queue can be reached again: {}", error.what()));
    told_of_queue_ = true;
    return std::nullopt;
  }
}

/// Seldom, as every change of the database wakes all that wait for one.
void Worker::say_alive(const std::optional<std::string>& job) {
  const auto now = std::chrono::steady_clock::now();
  if (said_ != std::chrono::steady_clock::time_point() && row_.job == job && now - said_ < options_.lease.between) {
    return;
  }
  row_.job = job;
  row_.resident_bytes = resident_bytes();
  queue_.see(row_);
  said_ = now;
}

bool Worker::has_room() {
  const auto known = store::free_bytes(folder_);
  const std::uintmax_t free = known.value_or(0);
  const bool enough = !known || free >= options_.least_free_bytes;
  if (!enough && !told_of_room_) {
    watcher_.note(fmt::format("jobs wait until there is more room: {} has {} free, and {} are kept free",
                              printable(folder_.root().string()), format_bytes(static_cast<std::int64_t>(free)),
                              format_bytes(static_cast<std::int64_t>(options_.least_free_bytes))));
  }
  told_of_room_ = !enough;
  return enough;
}

/// False once that has taken too long.
bool Worker::wait_for_job(std::chrono::steady_clock::time_point idle_since) {
  if (options_.idle_exit_seconds) {
    const std::chrono::duration<double> idle = std::chrono::steady_clock::now() - idle_since;
    if (idle.count() >= *options_.idle_exit_seconds) return false;
  }
  try {
    queue_.wait_for_change(options_.look);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kEnvironment) throw;
    std::this_thread::sleep_for(options_.look);
  }
  return true;
}

bool Worker::work_on(const queue::JobRow& job) {
  const queue::Claim claim{job.id, job.attempt};
  constexpr double kUntilTheFolderIsFree = 60;
  std::unique_ptr<FolderLock> lock;
  std::exception_ptr problem;
  try {
    lock = take_folder(folder_.job(job.id));
  } catch (const Error&) {
    require_data_folder(claim);
    problem = std::current_exception();
  }
  if (lock == nullptr && !problem) {
    watcher_.note(fmt::format("job {} waits: another process still holds its folder", job.id));
    queue_.give_back(claim, kUntilTheFolderIsFree);
    return false;
  }
  say_alive(job.id);
  watcher_.note(fmt::format("job {}, attempt {}", job.id, job.attempt));
  const Lease lease(open_, claim, row_, options_.lease);
  JobProgress progress(queue_, claim, lease, folder_, stopping_, watcher_);
  std::optional<fs::path> video;
  try {
    if (!problem) video = runner_.run(job, progress);
  } catch (...) {
    problem = std::current_exception();
  }
  std::exception_ptr unforeseen;
  try {
    problem ? end_badly(job, problem, progress) : complete(job, video, progress);
  } catch (...) {
    unforeseen = std::current_exception();
  }
  lock.reset();
  remove([&] { remove_files_of_removed(job.id); });
  if (unforeseen) std::rethrow_exception(unforeseen);
  return true;
}

/// Where it is gone, as a file system that is not mounted is, no job is to blame, and the next one would fail, too.
void Worker::require_data_folder(const queue::Claim& claim) {
  const fs::path jobs = folder_.root() / "jobs";
  if (::access(jobs.c_str(), W_OK | X_OK) == 0) return;
  const std::string why = std::generic_category().message(errno);
  queue_.give_back(claim);
  throw Error(ErrorKind::kEnvironment, "{} cannot be written: {}; job {} is given back", printable(jobs.string()), why,
              claim.job);
}

template <typename Change>
auto Worker::settle(const JobProgress& progress, const Change& change) {
  constexpr std::chrono::milliseconds kBetweenTries{200};
  while (true) {
    try {
      return change();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kEnvironment || progress.reason() == StopReason::kLost) throw;
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
}

void Worker::complete(const queue::JobRow& job, const std::optional<fs::path>& video, const JobProgress& progress) {
  ordered_json result = progress.result().is_object() ? progress.result() : ordered_json::object();
  for (const char* place : {"output", "report"}) result.erase(place);
  std::error_code ignored;
  if (video) {
    result["file"] = video->filename().string();
    result["bytes"] = fs::file_size(*video, ignored);
  }
  settle(progress, [&] { make_readable(job, result); });
  const std::string text = result.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  auto done = settle(progress, [&] { return queue_.complete({job.id, job.attempt}, text); });
  // A connection may be lost when all is done and nothing is answered.
  if (!done) done = settle(progress, [&] { return completed_before(queue_, job); });
  if (!done) {
    // Another attempt has the job, and its own file.
    if (video) fs::remove(*video, ignored);
    watcher_.note(fmt::format("job {} was lost to another worker; nothing of it is kept here", job.id));
    return;
  }
  if (done->state == queue::JobState::kRemoved) return;
  watcher_.note(fmt::format("job {} is done{}", job.id, video ? ": " + video->string() : ""));
  if (video) remove_other_results(folder_.job(job.id), *video);
  remove([&] { folder_.remove_work(job.id); });
}

/// Somebody wanted the job gone while its folder was held here.
void Worker::remove_files_of_removed(const std::string& job) {
  if (!queue_.is_removed(job)) return;
  watcher_.note(fmt::format("job {} is removed", job));
  store::remove_job_files(folder_, job);
}

void Worker::remove(const std::function<void()>& files) {
  try {
    files();
  } catch (const Error& error) {
    watcher_.note(error.what());
  }
}

void Worker::end_badly(const queue::JobRow& job, const std::exception_ptr& problem, const JobProgress& progress) {
  const queue::Claim claim{job.id, job.attempt};
  const studio::Failure failure = studio::describe_failure(problem);
  const StopReason reason = progress.reason();
  if (reason == StopReason::kLost) {
    watcher_.note(fmt::format("job {} was lost to another worker", job.id));
  } else if (failure.exit_status == exit_status(ErrorKind::kCancelled)) {
    const bool cancelled = reason == StopReason::kCancelled;
    watcher_.note(fmt::format("job {} {}", job.id, cancelled ? "is cancelled" : "is given back"));
    settle(progress, [&] { return cancelled ? queue_.stop_cancelled(claim) : queue_.give_back(claim); });
  } else {
    fail(job, failure, progress);
  }
}

void Worker::fail(const queue::JobRow& job, const studio::Failure& failure, const JobProgress& progress) {
  const queue::Claim claim{job.id, job.attempt};
  // Whoever reads the log may know where everything lies.
  watcher_.note(fmt::format("job {}: {}", job.id, failure.message));
  const std::string detail = settle(progress, [&] { return readable(job, failure.message); });
  const auto type = problem_of(failure);
  const std::string text = queue::problem_text(type.value_or(queue::JobProblem::kWorkerLost), detail);
  settle(progress, [&] { return type ? queue_.fail(claim, text) : queue_.lose(claim, text); });
  if (type) return;
  throw Error(ErrorKind::kEnvironment,
              "job {} ended in a way that nobody foresaw, see above; what is left of this process may be of no use: "
              "start a worker again",
              job.id);
}

void Worker::make_readable(const queue::JobRow& job, ordered_json& value) {
  if (value.is_structured()) {
    for (ordered_json& part : value) make_readable(job, part);
  } else if (value.is_string()) {
    value = readable(job, value.get<std::string>());
  }
}

/// Files are called what their owner calls them, and models by their names.
std::string Worker::readable(const queue::JobRow& job, std::string message) {
  for (const queue::AssetRow& asset : queue_.assets_of(job.id)) {
    replace_all(message, store::file_of(folder_, asset).string(), asset.name.value_or(asset.id));
  }
  replace_all(message, folder_.job(job.id).string() + "/", "");
  replace_all(message, folder_.job(job.id).string(), "the job's folder");
  replace_all(message, folder_.root().string(), "the data folder");
  for (const NamedPlace& place : runner_.places()) {
    replace_all(message, place.folder.string() + "/", place.prefix);
    replace_all(message, place.folder.string(), place.name);
  }
  return message;
}

}  // namespace unianimate::worker
