// The queue beside a twin that is as simple as can be, through random calls.
#include <gmock/gmock.h>

#include <map>
#include <random>

#include "server/queue/databases.h"
#include "unianimate/server/queue/job_queue.h"

namespace unianimate::queue {
namespace {

struct TwinJob {
  JobState state = JobState::kQueued;
  std::int64_t priority = 0;
  std::int64_t place = 0;
  std::int64_t revision = 0;
  std::int64_t attempt = 0;
  std::int64_t idle = 0;
  std::string device;
  int cancel = 0;  ///< 1: asked for, 2: to be removed
};

/// Jobs in a map, looked through one by one.
class Twin {
 public:
  void add(const std::string& id, std::int64_t priority) {
    ++revision;
    jobs[id] = {JobState::kQueued, priority, revision, revision, 0, 0, "", 0};
  }

  [[nodiscard]] std::string next(const std::string& device) const {
    std::string best;
    if (paused) return best;
    for (const auto& [id, job] : jobs) {
      if (job.state != JobState::kQueued || (!job.device.empty() && job.device != device)) continue;
      const auto before = [](const TwinJob& one, const TwinJob& other) {
        return one.priority != other.priority ? one.priority > other.priority : one.place < other.place;
      };
      if (best.empty() || before(job, jobs.at(best))) best = id;
    }
    return best;
  }

  std::string claim(const std::string& device) {
    const std::string id = next(device);
    if (id.empty()) return id;
    TwinJob& job = changed(id);
    job.state = JobState::kRunning;
    job.device = device;
    ++job.attempt;
    ++job.idle;
    return id;
  }

  TwinJob* held(const Claim& claim) {
    TwinJob& job = jobs.at(claim.job);
    return job.state == JobState::kRunning && job.attempt == claim.attempt ? &job : nullptr;
  }

  bool end(const Claim& claim, JobState state) {
    TwinJob* const job = held(claim);
    if (job == nullptr) return false;
    changed(claim.job).state = job->cancel == 2 ? JobState::kRemoved : state;
    job->cancel = 0;
    if (state == JobState::kCompleted) job->idle = 0;
    return true;
  }

  bool lose(const Claim& claim) {
    TwinJob* const job = held(claim);
    if (job == nullptr) return false;
    changed(claim.job).state = job->cancel == 2   ? JobState::kRemoved
                               : job->cancel == 1 ? JobState::kCancelled
                               : job->idle >= 3   ? JobState::kFailed
                                                  : JobState::kQueued;
    job->cancel = 0;
    return true;
  }

  bool give_back(const Claim& claim) {
    TwinJob* const job = held(claim);
    if (job == nullptr) return false;
    job->idle = std::max<std::int64_t>(job->idle - 1, 0);
    changed(claim.job).state = job->cancel == 2   ? JobState::kRemoved
                               : job->cancel == 1 ? JobState::kCancelled
                                                  : JobState::kQueued;
    job->cancel = 0;
    return true;
  }

  bool cancel(const std::string& id) {
    TwinJob& job = jobs.at(id);
    if (is_over(job.state)) return false;
    changed(id);
    if (job.state == JobState::kQueued) {
      job.state = JobState::kCancelled;
    } else if (job.cancel == 0) {
      job.cancel = 1;
    }
    return true;
  }

  bool remove(const std::string& id) {
    TwinJob& job = jobs.at(id);
    if (job.state == JobState::kRemoved) return false;
    changed(id);
    if (job.state == JobState::kRunning) {
      job.cancel = 2;
    } else {
      job.state = JobState::kRemoved;
    }
    return true;
  }

  bool resume(const std::string& id, bool fresh) {
    TwinJob& job = jobs.at(id);
    if (job.state != JobState::kFailed && job.state != JobState::kCancelled) return false;
    changed(id).state = JobState::kQueued;
    job.place = revision;
    job.idle = 0;
    if (fresh) job.device.clear();
    return true;
  }

  TwinJob& changed(const std::string& id) {
    TwinJob& job = jobs.at(id);
    job.revision = ++revision;
    return job;
  }

  std::map<std::string, TwinJob> jobs;
  std::int64_t revision = 0;
  bool paused = false;
};

class RandomWalks : public testing::DatabaseTest {};
INSTANTIATE_TEST_SUITE_P(Engines, RandomWalks, ::testing::ValuesIn(testing::engines()), testing::engine_name);

/// One call of both, drawn at random.
class Walk {
 public:
  Walk(JobQueue first, JobQueue second, std::uint32_t seed) : random_(seed) {
    queues_.push_back(std::move(first));
    queues_.push_back(std::move(second));
  }

  void step() {
    JobQueue& queue = queues_[draw(queues_.size())];
    switch (ids_.empty() ? 0 : draw(12)) {
      case 0: {
        NewJob job;
        job.request = "{}";
        job.priority = static_cast<std::int64_t>(draw(3));
        ids_.push_back(queue.add(job).job.id);
        return twin_.add(ids_.back(), job.priority);
      }
      case 1:
      case 2: {
        const std::string device = draw(2) == 0 ? "cpu fp32" : "cuda bf16";
        const auto job = queue.claim("video", "worker", device);
        ASSERT_EQ(job ? job->id : "", twin_.claim(device));
        if (job) claims_.push_back({job->id, job->attempt});
        return;
      }
      case 3:
        return with_claim([&](const Claim& claim) {
          const TwinJob* const held = twin_.held(claim);
          const std::optional<bool> expected = held ? std::optional(held->cancel > 0) : std::nullopt;
          EXPECT_EQ(queue.renew(claim), expected);
        });
      case 4:
        return with_claim([&](const Claim& claim) {
          const bool saved = draw(2) == 0;
          TwinJob* const held = twin_.held(claim);
          EXPECT_EQ(queue.report(claim, "{}", saved), held != nullptr);
          if (held == nullptr) return;
          twin_.changed(claim.job);
          if (saved) held->idle = 0;
        });
      case 5:
        return with_claim([&](const Claim& claim) {
          EXPECT_EQ(queue.complete(claim, "{}").has_value(), twin_.end(claim, JobState::kCompleted));
        });
      case 6:
        return with_claim([&](const Claim& claim) {
          if (draw(2) == 0) {
            EXPECT_EQ(queue.fail(claim, "{}").has_value(), twin_.end(claim, JobState::kFailed));
          } else {
            EXPECT_EQ(queue.stop_cancelled(claim).has_value(), twin_.end(claim, JobState::kCancelled));
          }
        });
      case 7:
        return with_claim([&](const Claim& claim) {
          if (draw(2) == 0) {
            EXPECT_EQ(queue.give_back(claim).has_value(), twin_.give_back(claim));
          } else {
            EXPECT_EQ(queue.lose(claim).has_value(), twin_.lose(claim));
          }
        });
      case 8:
        return with_id([&](const std::string& id) { EXPECT_EQ(queue.cancel(id).has_value(), twin_.cancel(id)); });
      case 9:
        return with_id([&](const std::string& id) {
          const bool fresh = draw(2) == 0;
          EXPECT_EQ(queue.resume(id, fresh).has_value(), twin_.resume(id, fresh));
        });
      case 10:
        return with_id([&](const std::string& id) {
          if (draw(3) > 0) return;
          EXPECT_EQ(queue.remove(id).has_value(), twin_.remove(id));
        });
      default:
        if (draw(4) == 0) queue.set_paused(twin_.paused = !twin_.paused);
    }
  }

  void compare() {
    std::map<std::string, JobRow> rows;
    for (const JobRow& job : queues_[0].changed_since(0)) rows.emplace(job.id, job);
    ASSERT_EQ(rows.size(), twin_.jobs.size());
    for (const auto& [id, twin] : twin_.jobs) {
      const JobRow& job = rows.at(id);
      EXPECT_EQ(job.state, twin.state);
      EXPECT_EQ(job.priority, twin.priority);
      EXPECT_EQ(job.revision, twin.revision);
      EXPECT_EQ(job.attempt, twin.attempt);
      EXPECT_EQ(job.device.value_or(""), twin.device);
      EXPECT_EQ(job.cancel_requested, twin.cancel > 0);
      EXPECT_EQ(job.idle_attempts, twin.idle);
      EXPECT_EQ(job.finished.has_value(), is_over(job.state));
      EXPECT_EQ(job.worker.has_value(), job.state == JobState::kRunning);
      EXPECT_EQ(job.lease_until.has_value(), job.state == JobState::kRunning);
    }
    EXPECT_EQ(queues_[1].revision(), twin_.revision);
  }

 private:
  std::size_t draw(std::size_t count) { return random_() % count; }
  template <typename F>
  void with_claim(const F& use) {
    if (!claims_.empty()) use(claims_[draw(claims_.size())]);
  }
  template <typename F>
  void with_id(const F& use) {
    use(ids_[draw(ids_.size())]);
  }

  std::mt19937 random_;
  std::vector<JobQueue> queues_;
  Twin twin_;
  std::vector<std::string> ids_;
  std::vector<Claim> claims_;  ///< those that are held, and many that are not
};

TEST_P(RandomWalks, GoWhereTheTwinGoes) {
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(seed);
    auto connections = GetParam().make();
    Walk walk(JobQueue(connections->connect()), JobQueue(connections->connect()), seed);
    for (int i = 0; i < 600 && !HasFailure(); ++i) {
      walk.step();
      if (i % 10 == 0) walk.compare();
    }
    walk.compare();
  }
}

}  // namespace
}  // namespace unianimate::queue
