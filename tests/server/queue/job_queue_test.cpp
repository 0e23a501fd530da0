#include "unianimate/server/queue/job_queue.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "server/queue/databases.h"
#include "support/file_size_limit.h"
#include "unianimate/core/error.h"
#include "unianimate/server/queue/random_id.h"

namespace unianimate::queue {
namespace {

using testing::DatabaseTest;

constexpr const char* kLane = "video";
constexpr const char* kCpu = "cpu fp32";

class JobQueues : public DatabaseTest {
 protected:
  std::string add(std::int64_t priority = 0, JobKind kind = JobKind::kAnimate) {
    NewJob job;
    job.kind = kind;
    job.priority = priority;
    job.request = R"({"order":{}})";
    return queue_.add(job).job.id;
  }
  Claim claim(const std::string& device = kCpu) {
    const auto job = queue_.claim(kLane, "worker", device);
    if (!job) throw std::runtime_error("nothing to claim");
    return {job->id, job->attempt};
  }
  [[nodiscard]] JobState state(const std::string& id) { return queue_.find(id).value().state; }
  /// As if the worker had said nothing for the time of a lease.
  void let_leases_run_out() { raw_->execute("UPDATE job SET lease_until=1 WHERE state='running'"); }
  /// As if so much time had gone by.
  void age(double seconds) {
    raw_->execute("UPDATE job SET finished=finished-$1", {SqlValue(seconds)});
    raw_->execute("UPDATE asset SET used=used-$1", {SqlValue(seconds)});
    raw_->execute("UPDATE worker SET seen=seen-$1", {SqlValue(seconds)});
  }

  JobQueue queue_ = open();
  std::unique_ptr<SqlConnection> raw_ = connect();
};
INSTANTIATE_TEST_SUITE_P(Engines, JobQueues, ::testing::ValuesIn(testing::engines()), testing::engine_name);

TEST_P(JobQueues, KeepWhatTheyAreGiven) {
  NewJob job;
  job.kind = JobKind::kAlign;
  job.priority = -3;
  job.label = "duo, take 2";
  job.request = R"({"a":"'\n"})";
  job.poses_job = add(0, JobKind::kAlign);
  const std::string id = queue_.add(job).job.id;
  const JobRow row = queue_.find(id).value();
  EXPECT_TRUE(is_id('j', id));
  EXPECT_EQ(row.kind, JobKind::kAlign);
  EXPECT_EQ(row.lane, "pose");
  EXPECT_EQ(row.state, JobState::kQueued);
  EXPECT_EQ(row.priority, -3);
  EXPECT_EQ(row.label, "duo, take 2");
  EXPECT_EQ(row.request, job.request);
  EXPECT_EQ(row.poses_job, job.poses_job);
  EXPECT_EQ(row.attempt, 0);
  EXPECT_EQ(row.revision, queue_.revision());
  EXPECT_NEAR(row.created, queue_.now(), 60);
  EXPECT_FALSE(row.started || row.finished || row.worker || row.lease_until || row.device || row.progress);
  EXPECT_FALSE(queue_.find("j-nothing"));
  job.priority = 101;
  EXPECT_THROW(queue_.add(job), Error);
}

TEST_P(JobQueues, RefuseTextThatNotEveryDatabaseKeeps) {
  NewJob job;
  job.request = "{}";
  for (const std::string& label : {std::string("a\0b", 3), std::string("caf\xe9")}) {
    job.label = label;
    EXPECT_THROW(queue_.add(job), UnfitText);
    JobFilter filter;
    filter.label = label;
    EXPECT_THROW(queue_.list(filter), UnfitText);
  }
  EXPECT_TRUE(queue_.list().empty());
  EXPECT_FALSE(is_fit("\x80"));
  EXPECT_FALSE(is_fit(std::string("\0", 1)));
  EXPECT_TRUE(is_fit(""));
  job.label = "caf\u00e9 \u2615\n";
  EXPECT_EQ(queue_.find(queue_.add(job).job.id)->label, job.label);
}

TEST_P(JobQueues, GiveTheHighestPriorityAndThenTheOldest) {
  const std::string first = add();
  const std::string second = add();
  const std::string urgent = add(5);
  const std::string late = add(-5);
  add(9, JobKind::kAlign);
  EXPECT_EQ(queue_.position(urgent), 0);
  EXPECT_EQ(queue_.position(first), 1);
  EXPECT_EQ(queue_.position(late), 3);
  queue_.change(second, 1, std::nullopt);
  for (const std::string& expected : {urgent, second, first, late}) EXPECT_EQ(claim().job, expected);
  EXPECT_FALSE(queue_.claim(kLane, "worker", kCpu));
  EXPECT_EQ(queue_.position(first), std::nullopt);
}

TEST_P(JobQueues, GiveNothingWhilePaused) {
  add();
  queue_.set_paused(true);
  EXPECT_TRUE(open().paused());
  EXPECT_FALSE(queue_.claim(kLane, "worker", kCpu));
  queue_.set_paused(false);
  EXPECT_TRUE(queue_.claim(kLane, "worker", kCpu));
}

TEST_P(JobQueues, KeepAJobOnTheKindOfMachineThatItWasBegunOn) {
  const std::string id = add();
  queue_.give_back(claim("cuda bf16"));
  EXPECT_FALSE(queue_.claim(kLane, "worker", kCpu));
  const auto again = queue_.claim(kLane, "worker", "cuda bf16");
  ASSERT_TRUE(again);
  queue_.fail({id, again->attempt}, "{}");
  ASSERT_TRUE(queue_.resume(id, true));
  EXPECT_TRUE(queue_.claim(kLane, "worker", kCpu));
}

TEST_P(JobQueues, LeaveWorkToWhoeverCanGoOnWithIt) {
  const std::string id = add();
  const auto first = queue_.claim(kLane, "worker", kCpu, "models 1").value();
  EXPECT_EQ(first.setup, "models 1");
  queue_.give_back({id, first.attempt});
  EXPECT_FALSE(queue_.claim(kLane, "other", kCpu, "models 2"));
  EXPECT_FALSE(queue_.claim(kLane, "other", "cpu bf16", "models 1"));
  const auto wait = [&](double seconds) { raw_->execute("UPDATE job SET released=released-$1", {SqlValue(seconds)}); };
  wait(kPatienceSeconds + 1);
  WorkerRow alive{"alive", kLane, "host", 1, "cpu", "fp32", std::nullopt};
  alive.setup = "models 1";
  queue_.see(alive);
  EXPECT_FALSE(queue_.claim(kLane, "other", kCpu, "models 2")) << "somebody can go on";
  age(kLeaseSeconds + 1);
  EXPECT_FALSE(queue_.claim(kLane, "other", "cuda bf16", "models 1")) << "another kind of device";
  const auto second = queue_.claim(kLane, "other", "cpu bf16", "models 2").value();
  EXPECT_EQ(second.device, "cpu bf16");
  EXPECT_EQ(second.setup, "models 2");
  queue_.lose({id, second.attempt});
  EXPECT_FALSE(queue_.claim(kLane, "worker", kCpu, "models 1"));
  const auto third = queue_.claim(kLane, "other", "cpu bf16", "models 2").value();
  queue_.fail({id, third.attempt}, "{}");
  ASSERT_TRUE(queue_.resume(id, false));
  EXPECT_FALSE(queue_.claim(kLane, "worker", kCpu, "models 1"));
  queue_.cancel(id);
  ASSERT_TRUE(queue_.resume(id, true));
  EXPECT_TRUE(queue_.claim(kLane, "worker", kCpu, "models 1"));
}

TEST_P(JobQueues, GivePosesToAnyWorker) {
  add(0, JobKind::kAlign);
  const auto job = queue_.claim("pose", "worker", kCpu, "models 1").value();
  queue_.give_back({job.id, job.attempt});
  EXPECT_TRUE(queue_.claim("pose", "other", "cuda bf16", "models 2"));
}

TEST_P(JobQueues, TellOfARunAndItsResult) {
  const std::string id = add();
  const Claim mine = claim();
  JobRow row = queue_.find(id).value();
  EXPECT_EQ(row.state, JobState::kRunning);
  EXPECT_EQ(row.worker, "worker");
  EXPECT_EQ(row.device, kCpu);
  EXPECT_EQ(row.attempt, 1);
  EXPECT_NEAR(row.lease_until.value(), queue_.now() + kLeaseSeconds, 10);
  EXPECT_TRUE(row.started);
  const std::int64_t before = row.revision;
  EXPECT_EQ(queue_.renew(mine), false);
  EXPECT_EQ(queue_.find(id)->revision, before);
  EXPECT_TRUE(queue_.report(mine, R"({"done":1})", true));
  row = queue_.find(id).value();
  EXPECT_EQ(row.progress, R"({"done":1})");
  EXPECT_EQ(row.revision, before + 1);
  ASSERT_TRUE(queue_.complete(mine, R"({"file":"result-1.mp4"})"));
  row = queue_.find(id).value();
  EXPECT_EQ(row.state, JobState::kCompleted);
  EXPECT_EQ(row.result, R"({"file":"result-1.mp4"})");
  EXPECT_TRUE(row.finished);
  EXPECT_FALSE(row.worker || row.lease_until);
}

TEST_P(JobQueues, TakeNothingFromAnAttemptThatLostItsLease) {
  const std::string id = add();
  const Claim hung = claim();
  let_leases_run_out();
  const Claim mine = claim();
  EXPECT_EQ(mine.job, id);
  EXPECT_EQ(mine.attempt, 2);
  const std::int64_t revision = queue_.revision();
  EXPECT_EQ(queue_.renew(hung), std::nullopt);
  EXPECT_FALSE(queue_.report(hung, "{}", true));
  EXPECT_FALSE(queue_.complete(hung, "{}"));
  EXPECT_FALSE(queue_.fail(hung, "{}"));
  EXPECT_FALSE(queue_.give_back(hung));
  EXPECT_FALSE(queue_.stop_cancelled(hung));
  EXPECT_FALSE(queue_.lose(hung));
  EXPECT_EQ(queue_.revision(), revision);
  EXPECT_TRUE(queue_.complete(mine, "{}"));
  EXPECT_FALSE(queue_.complete(mine, "{}")) << "twice";
}

TEST_P(JobQueues, CancelInEveryState) {
  const std::string waiting = add();
  EXPECT_EQ(queue_.cancel(waiting)->state, JobState::kCancelled);
  EXPECT_THAT(queue_.find(waiting)->problem.value_or(""), ::testing::HasSubstr(R"("type":"cancelled")"));
  EXPECT_TRUE(queue_.find(waiting)->finished);
  EXPECT_FALSE(queue_.cancel(waiting)) << "it is over";
  EXPECT_FALSE(queue_.cancel("j-nothing"));

  const std::string running = add();
  const Claim mine = claim();
  const JobRow asked = queue_.cancel(running).value();
  EXPECT_EQ(asked.state, JobState::kRunning);
  EXPECT_TRUE(asked.cancel_requested);
  EXPECT_EQ(queue_.renew(mine), true);
  ASSERT_TRUE(queue_.stop_cancelled(mine));
  EXPECT_EQ(state(running), JobState::kCancelled);
  EXPECT_FALSE(queue_.find(running)->cancel_requested);

  const std::string done = add();
  queue_.complete(claim(), "{}");
  EXPECT_FALSE(queue_.cancel(done));
  const std::string failed = add();
  queue_.fail(claim(), "{}");
  EXPECT_FALSE(queue_.cancel(failed));
}

TEST_P(JobQueues, CancelAJobWhoseWorkerIsGone) {
  const std::string id = add();
  claim();
  queue_.cancel(id);
  let_leases_run_out();
  EXPECT_EQ(queue_.lose_expired(), 1);
  EXPECT_EQ(state(id), JobState::kCancelled);
  const std::string other = add();
  const Claim mine = claim();
  queue_.cancel(other);
  queue_.give_back(mine);
  EXPECT_EQ(state(other), JobState::kCancelled);
}

TEST_P(JobQueues, FailAJobThatTakesItsWorkerAlongThreeTimes) {
  const std::string id = add();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    ASSERT_EQ(state(id), JobState::kQueued) << attempt;
    claim();
    EXPECT_EQ(queue_.lose_all_of("another worker"), 0);
    EXPECT_EQ(queue_.lose_all_of("worker"), 1);
  }
  EXPECT_EQ(state(id), JobState::kFailed);
  EXPECT_THAT(queue_.find(id)->problem.value(), ::testing::HasSubstr(R"("type":"worker-lost")"));
  ASSERT_TRUE(queue_.resume(id, false));
  EXPECT_FALSE(queue_.find(id)->problem);
  claim();
  queue_.lose_all_of("worker");
  EXPECT_EQ(state(id), JobState::kQueued) << "resumed, it has three again";
}

TEST_P(JobQueues, GoOnForEverWithAJobThatSavesSomethingEachTime) {
  const std::string id = add();
  for (int attempt = 1; attempt <= 8; ++attempt) {
    const Claim mine = claim();
    queue_.report(mine, "{}", true);
    let_leases_run_out();
  }
  claim();
  EXPECT_EQ(queue_.find(id)->attempt, 9);
}

TEST_P(JobQueues, CountNoAttemptThatIsGivenBack) {
  const std::string first = add();
  const std::string second = add();
  for (int i = 0; i < 5; ++i) {
    const Claim mine = claim();
    EXPECT_EQ(mine.job, first) << "it keeps its place";
    EXPECT_EQ(queue_.give_back(mine)->idle_attempts, 0);
  }
  queue_.give_back(claim(), 3600);
  EXPECT_EQ(claim().job, second) << "the first one is to wait";
}

TEST_P(JobQueues, ResumeWhatFailedOrWasCancelledAtTheEndOfTheQueue) {
  const std::string id = add();
  queue_.fail(claim(), R"({"type":"disk-full"})");
  const std::string other = add();
  ASSERT_TRUE(queue_.resume(id, false));
  EXPECT_FALSE(queue_.resume(id, false)) << "it is queued";
  EXPECT_EQ(claim().job, other);
  const Claim mine = claim();
  EXPECT_EQ(mine.attempt, 2);
  EXPECT_FALSE(queue_.resume(id, false)) << "it runs";
  queue_.complete(mine, "{}");
  EXPECT_FALSE(queue_.resume(id, false)) << "it is done";
  const std::string third = add();
  queue_.cancel(third);
  EXPECT_TRUE(queue_.resume(third, true));
}

TEST_P(JobQueues, RemoveJobsAndTellOfItForAWhile) {
  const std::string id = add();
  const std::int64_t before = queue_.revision();
  EXPECT_EQ(queue_.remove(id)->state, JobState::kRemoved);
  EXPECT_FALSE(queue_.find(id));
  EXPECT_FALSE(queue_.remove(id));
  EXPECT_TRUE(queue_.list().empty());
  ASSERT_EQ(queue_.changed_since(before).size(), 1U);
  EXPECT_EQ(queue_.changed_since(before).front().id, id);
  EXPECT_EQ(queue_.changed_since(before).front().state, JobState::kRemoved);

  const std::string running = add();
  const Claim mine = claim();
  EXPECT_EQ(queue_.remove(running)->state, JobState::kRunning);
  EXPECT_EQ(queue_.cancel(running)->state, JobState::kRunning) << "it is removed all the same";
  EXPECT_EQ(queue_.renew(mine), true);
  EXPECT_EQ(queue_.stop_cancelled(mine)->state, JobState::kRemoved);

  const std::int64_t last = queue_.revision();
  queue_.forget_removed(3600);
  EXPECT_EQ(queue_.forgotten_revision(), 0);
  age(7200);
  queue_.forget_removed(3600);
  EXPECT_EQ(queue_.forgotten_revision(), last);
  EXPECT_TRUE(queue_.changed_since(0).empty());
}

TEST_P(JobQueues, RemoveARunningJobHoweverItEnds) {
  const auto ended = [&](const std::function<std::optional<JobRow>(const Claim&)>& end) {
    const std::string id = add();
    const Claim mine = claim();
    queue_.remove(id);
    return end(mine).value().state;
  };
  EXPECT_EQ(ended([&](const Claim& mine) { return queue_.complete(mine, "{}"); }), JobState::kRemoved);
  EXPECT_EQ(ended([&](const Claim& mine) { return queue_.fail(mine, "{}"); }), JobState::kRemoved);
  EXPECT_EQ(ended([&](const Claim& mine) { return queue_.give_back(mine); }), JobState::kRemoved);
  EXPECT_EQ(ended([&](const Claim& mine) { return queue_.lose(mine); }), JobState::kRemoved);
}

TEST_P(JobQueues, KeepPosesThatAJobStillTakes) {
  const std::string poses = add(0, JobKind::kAlign);
  NewJob job;
  job.request = "{}";
  job.poses_job = poses;
  const std::string id = queue_.add(job).job.id;
  EXPECT_FALSE(queue_.remove(poses));
  const Claim attempt = claim();
  EXPECT_FALSE(queue_.remove(poses));
  EXPECT_TRUE(queue_.complete(attempt, "{}"));
  EXPECT_TRUE(queue_.remove(poses));
  EXPECT_EQ(queue_.find(id).value().poses_job, poses);
}

TEST_P(JobQueues, TellWhichJobsMayGo) {
  const std::string first = add();
  const std::string poses = add();
  const std::string waiting = add();
  NewJob job;
  job.request = "{}";
  job.poses_job = poses;
  const std::string taker = queue_.add(job).job.id;
  queue_.cancel(first);
  age(10);
  queue_.cancel(poses);
  const auto removable = [&](std::int64_t newest) {
    std::vector<std::string> ids;
    for (const JobRow& row : queue_.removable_jobs(newest)) ids.push_back(row.id);
    return ids;
  };
  EXPECT_EQ(removable(0), std::vector<std::string>{first}) << "the poses of the other one are needed";
  EXPECT_TRUE(removable(2).empty());
  const auto row = [&](const std::string& id) { return queue_.find(id).value(); };
  EXPECT_FALSE(queue_.remove_unneeded(row(poses)));
  EXPECT_FALSE(queue_.remove_unneeded(row(waiting)));
  const JobRow seen = row(first);
  queue_.resume(first, false);
  EXPECT_FALSE(queue_.remove_unneeded(row(first))) << "somebody was quicker";
  queue_.cancel(first);
  EXPECT_FALSE(queue_.remove_unneeded(seen)) << "it is over again, with something new";
  queue_.resume(first, false);
  queue_.remove(taker);
  EXPECT_EQ(removable(0), std::vector<std::string>{poses});
  EXPECT_EQ(queue_.remove_unneeded(row(poses))->state, JobState::kRemoved);
}

TEST_P(JobQueues, KeepTheLastNotices) {
  EXPECT_TRUE(queue_.notices().empty());
  for (std::int64_t i = 0; i < kMostNotices + 5; ++i) {
    raw_->execute("UPDATE notice SET created=created-1");
    queue_.add_notice(std::to_string(i));
  }
  const auto notices = queue_.notices();
  ASSERT_EQ(notices.size(), static_cast<std::size_t>(kMostNotices));
  EXPECT_EQ(notices.front().text, "24");
  EXPECT_EQ(notices.back().text, "5");
  EXPECT_NEAR(notices.front().created, queue_.now(), 60);
}

TEST_P(JobQueues, KnowSessionsForAWhile) {
  queue_.open_session("mine");
  EXPECT_TRUE(queue_.has_session("mine"));
  EXPECT_FALSE(queue_.has_session("other"));
  raw_->execute("UPDATE session SET created=created-$1", {SqlValue(kSessionSeconds + 1)});
  EXPECT_FALSE(queue_.has_session("mine"));
}

TEST_P(JobQueues, MakeOneJobOfOneKey) {
  NewJob job;
  job.request = "{}";
  job.idempotency_key = "5f0c";
  job.body_sha256 = "one";
  const Added first = queue_.add(job);
  EXPECT_EQ(first.outcome, Added::Outcome::kNew);
  const std::int64_t revision = queue_.revision();
  const Added again = queue_.add(job);
  EXPECT_EQ(again.outcome, Added::Outcome::kThereAlready);
  EXPECT_EQ(again.job.id, first.job.id);
  job.body_sha256 = "other";
  EXPECT_EQ(queue_.add(job).outcome, Added::Outcome::kOtherBody);
  EXPECT_EQ(queue_.revision(), revision);
  EXPECT_EQ(queue_.list().size(), 1U);
  queue_.remove(first.job.id);
  EXPECT_EQ(queue_.add(job).outcome, Added::Outcome::kNew) << "the job of the key is gone";
}

TEST_P(JobQueues, ListTheNewestFirstInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 7; ++i) ids.push_back(add(0, i % 2 == 0 ? JobKind::kAnimate : JobKind::kAlign));
  std::vector<std::string> seen;
  JobFilter page;
  page.limit = 3;
  while (true) {
    const auto jobs = queue_.list(page);
    if (jobs.empty()) break;
    EXPECT_LE(jobs.size(), 3U);
    for (const JobRow& job : jobs) seen.push_back(job.id);
    page.before = seen.back();
  }
  EXPECT_THAT(seen, ::testing::UnorderedElementsAreArray(ids));
  queue_.cancel(ids[0]);
  JobFilter filter;
  filter.state = JobState::kQueued;
  EXPECT_EQ(queue_.list(filter).size(), 6U);
  filter.kind = JobKind::kAlign;
  EXPECT_EQ(queue_.list(filter).size(), 3U);
  queue_.change(ids[1], std::nullopt, "mine");
  filter.label = "mine";
  ASSERT_EQ(queue_.list(filter).size(), 1U);
  EXPECT_EQ(queue_.list(filter).front().id, ids[1]);
  const auto counts = queue_.counts();
  ASSERT_EQ(counts.size(), 3U);
  EXPECT_EQ(counts[1].state, JobState::kCancelled);
  EXPECT_EQ(counts[2].jobs, 3);
}

TEST_P(JobQueues, ChangeOnlyWhatIsNotOver) {
  const std::string id = add();
  EXPECT_EQ(queue_.change(id, 7, "new")->priority, 7);
  EXPECT_EQ(queue_.change(id, std::nullopt, std::nullopt)->label, "new");
  queue_.cancel(id);
  EXPECT_FALSE(queue_.change(id, 8, std::nullopt));
}

TEST_P(JobQueues, GiveRevisionsInTheirOrderUnderFourWriters) {
  constexpr int kJobs = 40;
  constexpr int kWriters = 4;
  for (int i = 0; i < kJobs; ++i) add();
  std::atomic<int> done = 0;
  std::vector<std::thread> writers;
  std::mutex mutex;
  std::multiset<std::string> claimed;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      JobQueue mine = open();
      while (const auto job = mine.claim(kLane, std::to_string(i), kCpu)) {
        {
          const std::lock_guard lock(mutex);
          claimed.insert(job->id);
        }
        EXPECT_TRUE(mine.report({job->id, job->attempt}, "{}", false));
        EXPECT_TRUE(mine.complete({job->id, job->attempt}, "{}"));
      }
      ++done;
    });
  }
  // A reader that asks for what is new misses no state that stays.
  std::map<std::string, JobState> seen;
  std::int64_t last = 0;
  bool at_end = false;
  while (!at_end) {
    at_end = done == kWriters;
    for (const JobRow& job : queue_.changed_since(last)) {
      EXPECT_GT(job.revision, last);
      last = job.revision;
      seen[job.id] = job.state;
    }
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(claimed.size(), static_cast<std::size_t>(kJobs));
  EXPECT_EQ(std::set<std::string>(claimed.begin(), claimed.end()).size(), static_cast<std::size_t>(kJobs));
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kJobs));
  for (const auto& [id, state] : seen) EXPECT_EQ(state, JobState::kCompleted) << id;
  EXPECT_EQ(queue_.revision(), kJobs * 4) << "added, claimed, reported, completed";
}

TEST_P(JobQueues, KnowTheirWorkers) {
  queue_.see({"host-1", "video", "host", 1, "cpu", "fp32", std::nullopt});
  queue_.see({"host-2", "pose", "host", 2, "cpu", "fp32", std::nullopt});
  queue_.see({"host-1", "video", "host", 1, "cpu", "fp32", "j1", 9'000'000'000});
  auto workers = queue_.workers();
  ASSERT_EQ(workers.size(), 2U);
  EXPECT_EQ(workers[0].job, "j1");
  EXPECT_EQ(workers[0].usable_bytes, 9'000'000'000);
  EXPECT_EQ(workers[1].lane, "pose");
  EXPECT_EQ(workers[1].usable_bytes, std::nullopt);
  age(60);
  queue_.see({"host-2", "pose", "host", 2, "cpu", "fp32", std::nullopt});
  EXPECT_EQ(queue_.workers().size(), 1U);
  queue_.forget_worker("host-2");
  EXPECT_TRUE(queue_.workers().empty());
}

TEST_P(JobQueues, KeepFilesThatJobsNeed) {
  const auto [person, is_new] = queue_.add_asset({"a1", "hash1", 5, "image/png", "person.png"});
  EXPECT_TRUE(is_new);
  const auto [same, again] = queue_.add_asset({"a2", "hash1", 5, "image/png", std::nullopt});
  EXPECT_FALSE(again);
  EXPECT_EQ(same.id, "a1");
  EXPECT_EQ(same.name, "person.png");
  queue_.add_asset({"a3", "hash3", 6, "video/mp4", std::nullopt});
  NewJob job;
  job.request = "{}";
  job.assets = {"a1", "a1"};
  const std::string id = queue_.add(job).job.id;
  ASSERT_EQ(queue_.assets_of(id).size(), 1U);
  EXPECT_EQ(queue_.assets_of(id).front().sha256, "hash1");
  EXPECT_FALSE(queue_.remove_asset("a1")) << "the job needs it";
  EXPECT_TRUE(queue_.unused_assets(3600).empty());
  age(7200);
  ASSERT_EQ(queue_.unused_assets(3600).size(), 1U);
  EXPECT_EQ(queue_.unused_assets(3600).front().id, "a3");
  EXPECT_EQ(queue_.removable_asset_bytes(0, 3600), 6) << "the job may not go";
  queue_.cancel(id);
  EXPECT_EQ(queue_.removable_asset_bytes(1, 3600), 6);
  EXPECT_EQ(queue_.removable_asset_bytes(0, 3600), 11) << "nobody would need the other one then";
  EXPECT_EQ(queue_.removable_asset_bytes(0, 9000), 0);
  const std::string waiting = queue_.add(job).job.id;
  age(7200);
  EXPECT_EQ(queue_.removable_asset_bytes(0, 3600), 6) << "another job needs it, too";
  queue_.remove(waiting);
  queue_.remove(id);
  EXPECT_TRUE(queue_.remove_asset("a1"));
  EXPECT_FALSE(queue_.find_asset("a1"));
  const std::int64_t revision = queue_.revision();
  const auto missing = [&] {
    try {
      queue_.add(job);
    } catch (const MissingInput& error) {
      return error.id();
    }
    return std::string("none");
  };
  job.assets = {"a1"};
  EXPECT_EQ(missing(), "a1");
  job.assets = {};
  job.poses_job = id;
  EXPECT_EQ(missing(), id);
  EXPECT_EQ(queue_.revision(), revision);
}

TEST_P(JobQueues, KeepFilesThatWereSentAgain) {
  const double seen = queue_.add_asset({"a1", "hash1", 5, "image/png", std::nullopt}).first.used;
  age(-10);
  EXPECT_FALSE(queue_.remove_asset("a1", seen));
  EXPECT_TRUE(queue_.find_asset("a1"));
  EXPECT_TRUE(queue_.remove_asset("a1", queue_.find_asset("a1")->used));
}

TEST_P(JobQueues, SayWhetherTheyTakeChanges) {
  const std::int64_t revision = queue_.revision();
  queue_.require_writable();
  EXPECT_EQ(queue_.revision(), revision);
  raw_->execute("DROP TABLE setting");
  EXPECT_THROW(queue_.require_writable(), Error);
}

TEST(SqliteQueue, SaysThatItsFileTakesNoChanges) {
  const unianimate::testing::TemporaryFolder folder;
  JobQueue queue(open_sqlite(folder / "server.db"));
  queue.require_writable();
  {
    const unianimate::testing::FileSizeLimit no_room(0);
    EXPECT_THROW(queue.require_writable(), DatabaseUnavailable);
  }
  queue.require_writable();
}

}  // namespace
}  // namespace unianimate::queue
