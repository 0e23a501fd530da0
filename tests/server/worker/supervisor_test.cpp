#include "unianimate/server/worker/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "support/temporary_folder.h"
#include "unianimate/server/worker/gpus.h"
#include "unianimate/server/worker/worker.h"

namespace unianimate::worker {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

struct Notes final : Progress {
  void note(const std::string& message) override { notes.push_back(message); }
  std::vector<std::string> notes;
};

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
  Notes log_;
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
  queue_.claim("video", supervisor.ids().front(), "cpu fp32");
  ::kill(supervisor.pids().front(), SIGKILL);
  tend_until_ended(supervisor);
  EXPECT_EQ(queue_.find(id)->state, queue::JobState::kQueued);
}

TEST_F(SupervisorTest, TellsWhyTheJobOfAWorkerFailedThatDiedAgainAndAgain) {
  const auto problem_after = [&](int signal, bool memory_ran_out) {
    queue::NewJob job;
    job.request = "{}";
    const std::string id = queue_.add(job).job.id;
    std::int64_t kills = 5;
    Supervisor supervisor(queue_, {worker("exec sleep 1000")}, log_, [&] { return kills; });
    for (std::int64_t attempt = 0; attempt < queue::kMostIdleAttempts; ++attempt) {
      supervisor.tend(now_);
      EXPECT_THAT(supervisor.ids(), SizeIs(1));
      queue_.claim("video", supervisor.ids().front(), "cpu fp32");
      kills += memory_ran_out ? 1 : 0;
      now_ += seconds(1);
      supervisor.tend(now_);
      if (!supervisor.pids().empty()) ::kill(supervisor.pids().front(), signal);
      tend_until_ended(supervisor);
      now_ += seconds(60);
    }
    return queue_.find(id)->problem.value_or("");
  };
  EXPECT_THAT(problem_after(SIGKILL, true),
              AllOf(HasSubstr(R"("type":"out-of-memory")"), HasSubstr("by signal 9 (SIGKILL), as memory had run out")));
  EXPECT_THAT(problem_after(SIGKILL, false),
              AllOf(HasSubstr(R"("type":"worker-lost")"), HasSubstr("by signal 9 (SIGKILL), three times")));
  EXPECT_THAT(problem_after(SIGSEGV, true),
              AllOf(HasSubstr(R"("type":"worker-lost")"), HasSubstr("by signal 11 (SIGSEGV), three times")));
}

TEST_F(SupervisorTest, BlamesMemoryForNothingThatHappenedLongAfterItRanOut) {
  std::int64_t kills = 5;
  Supervisor supervisor(queue_, {worker("exec sleep 1000")}, log_, [&] { return kills; });
  const auto kill_it = [&] {
    log_.notes.clear();
    now_ += seconds(1);
    ::kill(supervisor.pids().at(0), SIGKILL);
    tend_until_ended(supervisor);
    EXPECT_THAT(log_.notes, Contains(HasSubstr("by signal 9 (SIGKILL)")));
    now_ += seconds(60);
    const auto notes = log_.notes;
    supervisor.tend(now_);
    return notes;
  };
  ++kills;
  supervisor.tend(now_);
  EXPECT_THAT(kill_it(), Not(Contains(HasSubstr("memory")))) << "it was before this worker began";
  ++kills;
  supervisor.tend(now_);
  now_ += seconds(61);
  EXPECT_THAT(kill_it(), Not(Contains(HasSubstr("memory")))) << "another process was ended then";
  ++kills;
  EXPECT_THAT(kill_it(), Contains(HasSubstr("memory had run out")));
}

TEST_F(SupervisorTest, GivesItsWorkersAnEnvironmentOfTheirOwn) {
  ::setenv("UNIANIMATE_TEST_ONE", "service", 1);
  ::setenv("UNIANIMATE_TEST_TWO", "service", 1);
  SupervisedWorker asked = worker("test $UNIANIMATE_TEST_ONE$UNIANIMATE_TEST_TWO = mineservice && exit 7");
  asked.environment = {"UNIANIMATE_TEST_ONE=mine"};
  Supervisor supervisor(queue_, {asked}, log_);
  supervisor.tend(now_);
  tend_until_ended(supervisor);
  EXPECT_THAT(log_.notes, Contains(HasSubstr("with status 7")));
}

TEST(Gpus, AreThoseThatThisProcessMaySee) {
  const testing::TemporaryFolder folder;
  EXPECT_THAT(gpus_of(nullptr, folder / "none"), IsEmpty());
  for (const char* name : {"0000:01:00.0", "0000:02:00.0"}) std::filesystem::create_directory(folder / name);
  EXPECT_THAT(gpus_of(nullptr, folder.path()), ElementsAre("0", "1"));
  EXPECT_THAT(gpus_of("3,1", folder.path()), ElementsAre("3", "1"));
  EXPECT_THAT(gpus_of("MIG-0f2a", folder.path()), ElementsAre("MIG-0f2a"));
  EXPECT_THAT(gpus_of("", folder.path()), IsEmpty());
  EXPECT_THAT(gpus_of("0,-1,1", folder.path()), ElementsAre("0"));
}

TEST_F(SupervisorTest, KillsAWorkerThatSaysNothing) {
  queue::NewJob job;
  job.request = "{}";
  const std::string id = queue_.add(job).job.id;
  Supervisor supervisor(queue_, {worker("exec sleep 1000")}, log_);
  supervisor.tend(now_);
  const queue::WorkerRow row{supervisor.ids().front(), "video", "here", supervisor.pids().front(), "cpu", "fp32", id};
  queue_.claim("video", row.id, "cpu fp32");
  queue_.see(row);
  supervisor.tend(now_);
  // Another worker may have seen that the lease is over before this one looks.
  queue::open_sqlite(folder_ / "server.db")->execute("UPDATE job SET lease_until=1");
  queue_.lose_expired();
  now_ += seconds(queue::kLeaseSeconds) + std::chrono::milliseconds(1);
  tend_until_ended(supervisor);
  EXPECT_EQ(queue_.find(id)->state, queue::JobState::kQueued);
  EXPECT_THAT(queue_.workers(), IsEmpty());
}

TEST_F(SupervisorTest, LeavesAWorkerAloneThatSaysSomethingOrIsNotReadyYet) {
  Supervisor supervisor(queue_, {worker("exec sleep 1000"), worker("exec sleep 1000")}, log_);
  supervisor.tend(now_);
  const auto pids = supervisor.pids();
  ASSERT_THAT(pids, SizeIs(2));
  for (int i = 0; i < 5; ++i) {
    // Two words within one tick of the database's clock are one.
    for (const double before = queue_.now(); queue_.now() <= before;) {
    }
    queue_.see({supervisor.ids().front(), "video", "here", pids.front(), "cpu", "fp32", std::nullopt});
    now_ += seconds(queue::kLeaseSeconds);
    supervisor.tend(now_);
  }
  EXPECT_EQ(supervisor.pids(), pids);
}

TEST_F(SupervisorTest, LearnsOfEndsWhereItInheritedThatNobodyWantsTo) {
  ::signal(SIGCHLD, SIG_IGN);
  Supervisor supervisor(queue_, {worker("exit 7")}, log_);
  supervisor.tend(now_);
  tend_until_ended(supervisor);
  EXPECT_THAT(log_.notes, Contains(HasSubstr("with status 7; another is started")));
}

TEST_F(SupervisorTest, KeepsWhatIsOpenHereFromItsWorkers) {
  const int open = ::fcntl(0, F_DUPFD, 50);
  ASSERT_GE(open, 50);
  Supervisor supervisor(queue_, {worker(fmt::format("test ! -e /proc/self/fd/{} && exit 7", open))}, log_);
  supervisor.tend(now_);
  tend_until_ended(supervisor);
  ::close(open);
  EXPECT_THAT(log_.notes, Contains(HasSubstr("with status 7")));
}

TEST_F(SupervisorTest, TellsItsWorkersWhoTheyAre) {
  Supervisor supervisor(queue_, {{"video", {"/bin/sh", "-c", "test \"$0\" = --id && test -n \"$1\" && exit 7"}}}, log_);
  supervisor.tend(now_);
  tend_until_ended(supervisor);
  EXPECT_THAT(log_.notes, Contains(HasSubstr("with status 7")));
  EXPECT_NE(new_worker_id(), new_worker_id());
}

TEST_F(SupervisorTest, StartsNoneWhereOthersDoTheWork) {
  queue_.see({"other-1", "video", host_name(), 1, "cpu", "fp32", std::nullopt});
  queue_.see({"elsewhere-1", "pose", "elsewhere", 1, "cpu", "fp32", std::nullopt});
  Supervisor supervisor(queue_, {worker("exec sleep 1000"), worker("exec sleep 1000", "pose")}, log_);
  supervisor.tend(now_);
  EXPECT_THAT(supervisor.pids(), SizeIs(1)) << "another machine's are no reason";
  queue_.forget_worker("other-1");
  supervisor.tend(now_);
  EXPECT_THAT(supervisor.pids(), SizeIs(2));
}

TEST_F(SupervisorTest, WaitsForAGpuThatAWorkerOfAnEarlierServiceHas) {
  queue::WorkerRow other{"other-1", "video", host_name(), 1, "cuda", "bf16", std::nullopt};
  other.gpu = "0";
  queue_.see(other);
  std::vector<SupervisedWorker> wanted;
  for (const char* gpu : {"0", "1"}) {
    wanted.push_back(worker("exec sleep 1000"));
    wanted.back().gpu = gpu;
    wanted.back().environment = {std::string("CUDA_VISIBLE_DEVICES=") + gpu};
  }
  const auto gpu_of = [](pid_t pid) {
    while (true) {  // between two programs a process has no environment
      std::ifstream environment("/proc/" + std::to_string(pid) + "/environ");
      for (std::string entry; std::getline(environment, entry, '\0');) {
        if (entry.starts_with("CUDA_VISIBLE_DEVICES=")) return entry.substr(entry.find('=') + 1);
      }
    }
  };
  Supervisor supervisor(queue_, wanted, log_);
  supervisor.tend(now_);
  ASSERT_THAT(supervisor.pids(), SizeIs(1));
  EXPECT_EQ(gpu_of(supervisor.pids().front()), "1");
  queue_.forget_worker("other-1");
  supervisor.tend(now_);
  EXPECT_THAT(supervisor.pids(), SizeIs(2));
}

TEST_F(SupervisorTest, CountsWorkersByWhatTheyComputeOn) {
  const auto started_beside = [&](const std::vector<std::string>& gpus_of_others,
                                  const std::vector<std::string>& wanted_gpus) {
    queue::JobQueue queue(queue::open_sqlite(folder_ / "other.db"));
    for (std::size_t i = 0; i < gpus_of_others.size(); ++i) {
      queue::WorkerRow other{std::to_string(i), "video", host_name(), 1, "cuda", "bf16", std::nullopt};
      other.gpu = gpus_of_others[i];
      queue.see(other);
    }
    std::vector<SupervisedWorker> wanted;
    for (const std::string& gpu : wanted_gpus) {
      wanted.push_back(worker("exec sleep 1000"));
      wanted.back().gpu = gpu;
    }
    Supervisor supervisor(queue, wanted, log_);
    supervisor.tend(now_);
    for (std::size_t i = 0; i < gpus_of_others.size(); ++i) queue.forget_worker(std::to_string(i));
    return supervisor.pids().size();
  };
  EXPECT_EQ(started_beside({}, {"0", "1"}), 2U);
  EXPECT_EQ(started_beside({""}, {"0", "1"}), 2U) << "it computes on the processor";
  EXPECT_EQ(started_beside({"0", "0"}, {"0", "1"}), 1U);
  EXPECT_EQ(started_beside({"2"}, {"0", "1"}), 2U) << "it has one of its own";
  EXPECT_EQ(started_beside({"GPU-0f2a"}, {"0", "1"}), 1U) << "it may have either";
  EXPECT_EQ(started_beside({"0"}, {""}), 1U);
  EXPECT_EQ(started_beside({""}, {""}), 0U);
}

TEST_F(SupervisorTest, TellsOnceOfAnothersWorkerThatSaysNothing) {
  const queue::WorkerRow other{"other-1", "video", host_name(), 4711, "cpu", "fp32", std::nullopt};
  queue_.see({"old-1", "video", host_name(), 1, "cpu", "fp32", std::nullopt});
  queue::open_sqlite(folder_ / "server.db")->execute("UPDATE worker SET seen=1");
  queue_.see(other);
  Supervisor supervisor(queue_, {}, log_);
  supervisor.tend(now_);
  now_ += seconds(queue::kLeaseSeconds);
  supervisor.tend(now_);
  EXPECT_THAT(log_.notes, IsEmpty());
  for (int i = 0; i < 2; ++i) {
    now_ += seconds(1);
    supervisor.tend(now_);
    EXPECT_THAT(log_.notes, ElementsAre(AllOf(HasSubstr("worker other-1"), HasSubstr("'kill -9 4711'"))));
  }
  EXPECT_THAT(queue_.notices(), SizeIs(1));
}

TEST_F(SupervisorTest, AsksItsWorkersToStopOnce) {
  const std::string counting = fmt::format(
      "trap 'echo asked >> {0}; test -e {0}.enough && exit 0' TERM; : > {0}.ready; "
      "while :; do read line < {0}.pipe; done",
      (folder_ / "log").string());
  ASSERT_EQ(::mkfifo((folder_ / "log.pipe").c_str(), 0600), 0);
  Supervisor supervisor(queue_, {worker(counting)}, log_);
  supervisor.tend(now_);
  while (!std::filesystem::exists(folder_ / "log.ready")) std::this_thread::yield();
  supervisor.ask_to_stop();
  const auto asked = [&] {
    std::ifstream log(folder_ / "log");
    return std::distance(std::istream_iterator<std::string>(log), {});
  };
  while (asked() == 0) std::this_thread::yield();
  now_ += seconds(100);
  supervisor.tend(now_);
  supervisor.ask_to_stop();
  supervisor.stop(std::chrono::milliseconds(0));
  EXPECT_EQ(asked(), 1);
  EXPECT_THAT(supervisor.pids(), IsEmpty());
  supervisor.tend(now_);
  EXPECT_THAT(supervisor.pids(), IsEmpty()) << "it was asked to end";
}

TEST_F(SupervisorTest, StopsThoseThatListenAndKillsTheOthers) {
  const std::string stubborn =
      fmt::format("trap '' TERM; : > {}; while :; do sleep 1; done", (folder_ / "ready").string());
  Supervisor supervisor(queue_, {worker("exec sleep 1000"), worker(stubborn)}, log_);
  supervisor.tend(now_);
  while (!std::filesystem::exists(folder_ / "ready")) std::this_thread::yield();
  const auto pids = supervisor.pids();
  ASSERT_THAT(pids, SizeIs(2));
  supervisor.stop(std::chrono::milliseconds(100));
  EXPECT_THAT(supervisor.pids(), IsEmpty());
  for (const pid_t pid : pids) EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_THAT(log_.notes, Contains(HasSubstr("by signal 15")));
  EXPECT_THAT(log_.notes, Contains(HasSubstr("by signal 9")));
  EXPECT_THAT(log_.notes, Not(Contains(HasSubstr("another is started"))));
}

TEST_F(SupervisorTest, TellsOfAProgramThatIsNotThere) {
  Supervisor supervisor(queue_, {{"video", {"/nonexistent/program"}}}, log_);
  supervisor.tend(now_);
  EXPECT_THAT(supervisor.pids(), IsEmpty());
}

}  // namespace
}  // namespace unianimate::worker
