#include "unianimate/server/worker/supervisor.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/server/queue/job_problem.h"
#include "unianimate/server/worker/worker.h"

namespace unianimate::worker {

namespace {

constexpr std::chrono::seconds kFirstDelay{1};
constexpr std::chrono::seconds kLongestDelay{60};

/// So long after memory ran out the process that was ended for it may take until it is gone.
constexpr std::chrono::seconds kLongestTeardown{60};

/// So long nothing was heard of a worker that is taken to hang.
constexpr std::chrono::seconds kSilence{queue::kLeaseSeconds};

/// Whether it names a GPU by its number.
bool is_number(std::string_view gpu) {
  return !gpu.empty() && gpu.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "with status 4", "by signal 9 (SIGKILL)"
std::string ending_of(int status) {
  if (!WIFSIGNALED(status)) return fmt::format("with status {}", WEXITSTATUS(status));
  const char* const name = ::sigabbrev_np(WTERMSIG(status));
  return fmt::format("by signal {}{}", WTERMSIG(status), name == nullptr ? "" : fmt::format(" (SIG{})", name));
}

/// How a worker is started: with all signals let through, in a group of its own, so that a Ctrl-C that ends the service
/// is not a second one for it, with stdout, where others read what the service says, being stderr, and without the
/// sockets of the service, whose address would else be taken for as long as the worker outlives it.
class SpawnSettings {
 public:
  SpawnSettings() {
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  /// 0, or errno of what kept it from being started.
  int start(std::vector<std::string> command, std::vector<std::string> environment, pid_t& pid) const {
    const std::size_t given = environment.size();
    for (char* const* entry = environ; *entry != nullptr; ++entry) {
      const std::string_view text(*entry);
      const std::string_view name = text.substr(0, text.find('=') + 1);
      const auto same = [&](const std::string& other) { return other.starts_with(name); };
      if (std::none_of(environment.begin(), environment.begin() + static_cast<std::ptrdiff_t>(given), same)) {
        environment.emplace_back(text);
      }
    }
    const std::vector<char*> arguments = pointers(command);
    return ::posix_spawn(&pid, arguments.front(), &actions_, &attributes_, arguments.data(),
                         pointers(environment).data());
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
  }

  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

Supervisor::Supervisor(queue::JobQueue& queue, std::vector<SupervisedWorker> workers, Progress& log,
                       std::function<std::int64_t()> memory_kills)
    : queue_(queue), log_(log), memory_kills_(std::move(memory_kills)), kills_seen_(memory_kills_()) {
  // Where it is ignored nobody is told how a child ended, or that it has.
  ::signal(SIGCHLD, SIG_DFL);
  for (SupervisedWorker& worker : workers) {
    Child& child = children_.emplace_back();
    child.worker = std::move(worker);
  }
}

Supervisor::~Supervisor() {
  try {
    stop(std::chrono::milliseconds(0));
  } catch (const Error&) {
    // The leases of their jobs run out.
  }
}

void Supervisor::tend(Time now) {
  if (asked_to_stop_) return;
  try {
    look_after(now);
    told_of_queue_ = false;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kEnvironment) throw;
    if (!told_of_queue_) {
      log_.note(fmt::format("workers are left alone until the queue can be reached: {}", error.what()));
    }
    told_of_queue_ = true;
    // Nobody is silent who cannot be heard.
    for (Child& child : children_) child.heard = now;
    for (auto& [id, other] : others_) other.heard = now;
  }
}

void Supervisor::look_at_memory(Time now) {
  const std::int64_t kills = memory_kills_();
  if (kills > kills_seen_) memory_ran_out_ = now;
  kills_seen_ = kills;
}

void Supervisor::look_after(Time now) {
  look_at_memory(now);
  for (Child& child : children_) {
    const auto ending = take_end(child, now, WNOHANG);
    if (!ending) continue;
    if (now - child.began > kLongestDelay) child.delay = kFirstDelay;
    log_.note(fmt::format("worker {} of lane {} ended {}; another is started in {} s", child.id, child.worker.lane,
                          *ending, child.delay.count()));
    start_later(child, now);
    lose_jobs_of(child, *ending);
  }
  look_at_silent(now);
  for (Child& child : children_) {
    if (child.pid == 0 && now >= child.start_after && is_missing(child)) start(child, now);
  }
}

void Supervisor::start(Child& child, Time now) {
  std::vector<std::string> command = child.worker.command;
  child.id = new_worker_id();
  child.seen = 0;
  child.killed_here = false;
  for (const std::string& word : {std::string("--id"), child.id}) command.push_back(word);
  const int problem = SpawnSettings().start(std::move(command), child.worker.environment, child.pid);
  if (problem != 0) {
    child.pid = 0;
    start_later(child, now);
    log_.note(fmt::format("{} cannot be started: {}", printable(child.worker.command.front()), std::strerror(problem)));
    return;
  }
  child.began = now;
  log_.note(fmt::format("worker {} of lane {} is started as process {}", child.id, child.worker.lane, child.pid));
}

void Supervisor::start_later(Child& child, Time now) {
  child.start_after = now + child.delay;
  child.delay = std::min(2 * child.delay, kLongestDelay);
}

std::optional<std::string> Supervisor::take_end(Child& child, Time now, int options) {
  int status = 0;
  if (child.pid == 0 || ::waitpid(child.pid, &status, options) == 0) return std::nullopt;
  child.pid = 0;
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !child.killed_here;
  child.out_of_memory =
      killed && memory_ran_out_ && *memory_ran_out_ > child.began && now - *memory_ran_out_ <= kLongestTeardown;
  return ending_of(status) + (child.out_of_memory ? ", as memory had run out" : "");
}

void Supervisor::let_go_of(const Child& child, const std::function<void(const std::string& id)>& end_jobs) {
  try {
    end_jobs(child.id);
    queue_.forget_worker(child.id);
  } catch (const Error& error) {
    // The leases of its jobs run out.
    if (error.kind() != ErrorKind::kEnvironment) throw;
  }
}

void Supervisor::lose_jobs_of(const Child& child, const std::string& ending) {
  const std::string what =
      fmt::format("its worker ended {}, three times in a row without a new step that was saved", ending);
  const auto problem = child.out_of_memory ? queue::JobProblem::kOutOfMemory : queue::JobProblem::kWorkerLost;
  let_go_of(child, [&](const std::string& id) { queue_.lose_all_of(id, queue::problem_text(problem, what)); });
}

/// A worker that hangs would keep its job's folder from the next one. Time is counted here, so that a machine that
/// slept, or whose clock was set, kills nobody.
void Supervisor::look_at_silent(Time now) {
  constexpr double kEver = 1e9;
  const std::vector<queue::WorkerRow> workers = queue_.workers(kEver);
  for (const queue::WorkerRow& worker : workers) {
    for (Child& child : children_) {
      if (child.pid == 0 || child.id != worker.id) continue;
      if (worker.seen != child.seen) {
        child.seen = worker.seen;
        child.heard = now;
      } else if (now - child.heard > kSilence) {
        child.killed_here = true;
        ::kill(child.pid, SIGKILL);
      }
    }
  }
  tell_of_silent(workers, now);
}

/// They are somebody else's to end, and may have what the next one needs.
void Supervisor::tell_of_silent(const std::vector<queue::WorkerRow>& workers, Time now) {
  const std::string here = host_name();
  const double alive_since = queue_.now() - static_cast<double>(queue::kLeaseSeconds);
  std::map<std::string, Other> heard;
  for (const queue::WorkerRow& worker : workers) {
    if (worker.host != here || std::ranges::any_of(children_, [&](const Child& c) { return c.id == worker.id; }))
      continue;
    const auto known = others_.find(worker.id);
    // Those that said their last before this began are nobody's concern.
    if (known == others_.end() && worker.seen < alive_since) continue;
    Other& other = heard[worker.id] = known == others_.end() ? Other() : known->second;
    if (worker.seen != other.seen) {
      other = {worker.seen, now, false};
    } else if (!other.told && now - other.heard > kSilence) {
      other.told = true;
      std::string text = fmt::format(
          "worker {} (lane {}, process {}), which was not started by this service, has said nothing for {} s: if it is "
          "gone, nothing need be done; if it hangs, it keeps its memory, and its job's folder from others, until "
          "somebody ends it ('kill -9 {}')",
          worker.id, worker.lane, worker.pid, kSilence.count(), worker.pid);
      queue_.add_notice(text);
      log_.note(text);
    }
  }
  others_ = std::move(heard);
}

/// Whether fewer do the work of its lane, on its GPU or on none, than are to: ours, and others of this machine that are
/// alive.
bool Supervisor::is_missing(const Child& child) {
  const std::string here = host_name();
  std::vector<queue::WorkerRow> others = queue_.workers();
  std::erase_if(others, [&](const queue::WorkerRow& worker) {
    const auto is_it = [&](const Child& ours) { return ours.pid != 0 && ours.id == worker.id; };
    return worker.lane != child.worker.lane || worker.host != here || std::ranges::any_of(children_, is_it);
  });
  const auto is_short = [&](const auto& counts) {
    std::ptrdiff_t wanted = 0;
    std::ptrdiff_t there = 0;
    for (const Child& each : children_) {
      if (each.worker.lane != child.worker.lane || !counts(each.worker.gpu)) continue;
      ++wanted;
      there += each.pid != 0 ? 1 : 0;
    }
    there += std::ranges::count_if(others, [&](const queue::WorkerRow& other) { return counts(other.gpu); });
    return there < wanted;
  };
  if (!is_short([&](const std::string& gpu) { return gpu == child.worker.gpu; })) return false;
  // What is named in another way may be any of ours.
  const auto is_named_otherwise = [&](const queue::WorkerRow& other) {
    return !other.gpu.empty() && is_number(other.gpu) != is_number(child.worker.gpu);
  };
  if (child.worker.gpu.empty() || std::ranges::none_of(others, is_named_otherwise)) return true;
  return is_short([](const std::string& gpu) { return !gpu.empty(); });
}

void Supervisor::ask_to_stop() {
  if (asked_to_stop_) return;
  asked_to_stop_ = std::chrono::steady_clock::now();
  // Once: a second signal would end them without saving.
  for (const pid_t pid : pids()) ::kill(pid, SIGTERM);
}

void Supervisor::stop(std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kLook{20};
  std::vector<Child*> ended;
  const auto take_ends = [&](int options) {
    for (Child& child : children_) {
      const auto ending = take_end(child, std::chrono::steady_clock::now(), options);
      if (!ending) continue;
      log_.note(fmt::format("worker {} of lane {} ended {}", child.id, child.worker.lane, *ending));
      ended.push_back(&child);
    }
  };
  ask_to_stop();
  const auto end = *asked_to_stop_ + patience;
  for (take_ends(WNOHANG); !pids().empty() && std::chrono::steady_clock::now() < end; take_ends(WNOHANG)) {
    std::this_thread::sleep_for(kLook);
  }
  for (Child& child : children_) {
    child.killed_here = child.pid != 0;
    if (child.killed_here) ::kill(child.pid, SIGKILL);
  }
  take_ends(0);
  for (const Child* const child : ended) {
    // Whatever they were kept from saving is no fault of their jobs.
    let_go_of(*child, [&](const std::string& id) { queue_.give_back_all_of(id); });
  }
}

std::vector<pid_t> Supervisor::pids() const {
  std::vector<pid_t> pids;
  for (const Child& child : children_) {
    if (child.pid != 0) pids.push_back(child.pid);
  }
  return pids;
}

std::vector<std::string> Supervisor::ids() const {
  std::vector<std::string> ids;
  for (const Child& child : children_) {
    if (child.pid != 0) ids.push_back(child.id);
  }
  return ids;
}

}  // namespace unianimate::worker
