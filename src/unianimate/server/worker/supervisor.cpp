#include "unianimate/server/worker/supervisor.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/server/worker/worker.h"

namespace unianimate::worker {

namespace {

constexpr std::chrono::seconds kFirstDelay{1};
constexpr std::chrono::seconds kLongestDelay{60};

/// "with status 4", "by signal 9"
std::string ending_of(int status) {
  return WIFSIGNALED(status) ? fmt::format("by signal {}", WTERMSIG(status))
                             : fmt::format("with status {}", WEXITSTATUS(status));
}

}  // namespace

Supervisor::Supervisor(queue::JobQueue& queue, std::vector<SupervisedWorker> workers, Progress& log)
    : queue_(queue), log_(log) {
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
  for (Child& child : children_) reap(child, now);
  kill_silent();
  for (Child& child : children_) {
    if (child.pid != 0 || now < child.start_after) continue;
    const auto is_there = [&](const Child& other) { return other.worker.lane == child.worker.lane && other.pid != 0; };
    const auto wanted = std::ranges::count(children_, child.worker.lane,
                                           [](const Child& other) -> const std::string& { return other.worker.lane; });
    const auto ours = std::ranges::count_if(children_, is_there);
    if (static_cast<std::size_t>(ours) + others_in(child.worker.lane) < static_cast<std::size_t>(wanted)) {
      start(child, now);
    }
  }
}

void Supervisor::reap(Child& child, Time now) {
  int status = 0;
  if (child.pid == 0 || ::waitpid(child.pid, &status, WNOHANG) != child.pid) return;
  const std::string id = worker_id(std::exchange(child.pid, 0));
  if (now - child.began > kLongestDelay) child.delay = kFirstDelay;
  child.start_after = now + child.delay;
  log_.note(fmt::format("worker {} of lane {} ended {}; another is started in {} s", id, child.worker.lane,
                        ending_of(status), child.delay.count()));
  child.delay = std::min(2 * child.delay, kLongestDelay);
  queue_.lose_all_of(id);
  queue_.forget_worker(id);
}

void Supervisor::start(Child& child, Time now) {
  std::vector<char*> arguments;
  for (std::string& word : child.worker.command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int problem = ::posix_spawn(&child.pid, arguments.front(), nullptr, nullptr, arguments.data(), environ);
  if (problem != 0) {
    child.pid = 0;
    child.start_after = now + child.delay;
    child.delay = std::min(2 * child.delay, kLongestDelay);
    log_.note(fmt::format("{} cannot be started: {}", printable(child.worker.command.front()), std::strerror(problem)));
    return;
  }
  child.began = now;
  log_.note(fmt::format("worker {} of lane {} is started", worker_id(child.pid), child.worker.lane));
}

/// A worker that hangs would keep its job's folder from the next one.
void Supervisor::kill_silent() {
  queue::JobFilter running;
  running.state = queue::JobState::kRunning;
  const double now = queue_.now();
  for (const queue::JobRow& job : queue_.list(running)) {
    if (job.lease_until.value_or(now) >= now) continue;
    for (const Child& child : children_) {
      if (child.pid != 0 && job.worker == worker_id(child.pid)) ::kill(child.pid, SIGKILL);
    }
  }
}

/// Workers that are alive and not ours.
std::size_t Supervisor::others_in(const std::string& lane) {
  std::size_t others = 0;
  for (const queue::WorkerRow& worker : queue_.workers()) {
    const bool is_ours = std::ranges::any_of(
        children_, [&](const Child& child) { return child.pid != 0 && worker.id == worker_id(child.pid); });
    if (worker.lane == lane && !is_ours) ++others;
  }
  return others;
}

void Supervisor::stop(std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kLook{20};
  for (const pid_t pid : pids()) ::kill(pid, SIGTERM);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    const auto now = std::chrono::steady_clock::now();
    for (Child& child : children_) reap(child, now);
    if (pids().empty() || now >= end) break;
    std::this_thread::sleep_for(kLook);
  }
  for (const pid_t pid : pids()) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    queue_.lose_all_of(worker_id(pid));
    queue_.forget_worker(worker_id(pid));
  }
  for (Child& child : children_) child.pid = 0;
}

std::vector<pid_t> Supervisor::pids() const {
  std::vector<pid_t> pids;
  for (const Child& child : children_) {
    if (child.pid != 0) pids.push_back(child.pid);
  }
  return pids;
}

}  // namespace unianimate::worker
