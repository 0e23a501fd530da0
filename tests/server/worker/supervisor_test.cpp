#include "unianimate/server/worker/supervisor.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <thread>

#include "support/temporary_folder.h"
#include "unianimate/server/worker/worker.h"

namespace unianimate::worker {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SupervisorTest : public ::testing::Test {
 protected:
  static SupervisedWorker worker(const std::string& script, const std::string& lane = "video") {
    return {lane, {"/bin/sh", "-c", script}};
  }
  /// Until the worker is seen to have ended.
  void tend_until_ended(Supervisor& supervisor) {
    while (!supervisor.pids().empty()) supervisor.tend(now_);
  }

  testing::TemporaryFolder folder_;
  queue::JobQueue queue_{queue::open_sqlite(folder_ / "server.db")};
  Progress log_;
  Supervisor::Time now_ = std::chrono::steady_clock::now();
};

TEST_F(SupervisorTest, StartsAWorkerAgainLaterAndLater) {
  Supervisor supervisor(queue_, {worker("exit 4")}, log_);
  for (const int delay : {1, 2, 4, 8, 16, 32, 60, 60}) {
    supervisor.tend(now_);
    ASSERT_THAT(supervisor.pids(), SizeIs(1)) << delay;
    tend_until_ended(supervisor);
    now_ += seconds(delay) - std::chrono::milliseconds(1);
    supervisor.tend(now_);
    EXPECT_THAT(supervisor.pids(), IsEmpty()) << delay;
    now_ += std::chrono::milliseconds(1);
  }
}

TEST_F(SupervisorTest, GivesBackTheJobOfAWorkerThatDied) {
  queue::NewJob job;
  job.request = "{}";
  const std::string id = queue_.add(job).job.id;
  Supervisor supervisor(queue_, {worker("exec sleep 1000")}, log_);
  supervisor.tend(now_);
  ASSERT_THAT(supervisor.pids(), SizeIs(1));
  queue_.claim("video", worker_id(supervisor.pids().front()), "cpu fp32");
  ::kill(supervisor.pids().front(), SIGKILL);
  tend_until_ended(supervisor);
  EXPECT_EQ(queue_.find(id)->state, queue::JobState::kQueued);
}

TEST_F(SupervisorTest, KillsAWorkerThatSaysNothing) {
  queue::NewJob job;
  job.request = "{}";
  const std::string id = queue_.add(job).job.id;
  Supervisor supervisor(queue_, {worker("exec sleep 1000")}, log_);
  supervisor.tend(now_);
  queue_.claim("video", worker_id(supervisor.pids().front()), "cpu fp32");
  queue::open_sqlite(folder_ / "server.db")->execute("UPDATE job SET lease_until=1");
  tend_until_ended(supervisor);
  EXPECT_EQ(queue_.find(id)->state, queue::JobState::kQueued);
}

TEST_F(SupervisorTest, StartsNoneWhereOthersDoTheWork) {
  queue_.see({"elsewhere-1", "video", "elsewhere", 1, "cpu", "fp32", std::nullopt});
  Supervisor supervisor(queue_, {worker("exec sleep 1000"), worker("exec sleep 1000", "pose")}, log_);
  supervisor.tend(now_);
  EXPECT_THAT(supervisor.pids(), SizeIs(1));
  queue_.forget_worker("elsewhere-1");
  supervisor.tend(now_);
  EXPECT_THAT(supervisor.pids(), SizeIs(2));
}

TEST_F(SupervisorTest, StopsThoseThatListenAndKillsTheOthers) {
  Supervisor supervisor(queue_, {worker("exec sleep 1000"), worker("trap '' TERM; while :; do sleep 1; done")}, log_);
  supervisor.tend(now_);
  const auto pids = supervisor.pids();
  ASSERT_THAT(pids, SizeIs(2));
  supervisor.stop(std::chrono::milliseconds(100));
  EXPECT_THAT(supervisor.pids(), IsEmpty());
  for (const pid_t pid : pids) EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(SupervisorTest, TellsOfAProgramThatIsNotThere) {
  Supervisor supervisor(queue_, {{"video", {"/nonexistent/program"}}}, log_);
  supervisor.tend(now_);
  EXPECT_THAT(supervisor.pids(), IsEmpty());
}

}  // namespace
}  // namespace unianimate::worker
