// The worker's loop with work that needs no model.
#include "unianimate/server/worker/worker.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <limits>
#include <new>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/core/error_causes.h"
#include "unianimate/core/folder_lock.h"
#include "unianimate/core/output_file.h"
#include "unianimate/server/store/asset_store.h"
#include "unianimate/server/store/removal.h"

namespace unianimate::worker {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Does what the test says.
class FakeRunner final : public JobRunner {
 public:
  [[nodiscard]] std::string device() const override { return "cpu fp32"; }
  [[nodiscard]] std::string setup() const override { return "models of the test"; }
  [[nodiscard]] std::string gpu() const override { return "GPU-0f2a"; }
  [[nodiscard]] std::vector<NamedPlace> places() const override {
    return {{"/opt/puppet", "the embedded model", "embedded/"}, {"/srv/models", "the models folder", ""}};
  }
  std::optional<fs::path> run(const queue::JobRow& job, studio::JobObserver& observer) override {
    ++runs;
    return work(job, observer);
  }

  std::function<std::optional<fs::path>(const queue::JobRow& job, studio::JobObserver& observer)> work;
  int runs = 0;
};

/// Tells somebody of what a worker notes.
struct Listener final : studio::JobObserver {
  void note(const std::string& text) override {
    if (heard) heard(text);
  }
  std::function<void(const std::string&)> heard;
};

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    options_.once = true;
    options_.look = std::chrono::milliseconds(1);
    options_.least_free_bytes = 0;
    options_.lease.between = std::chrono::milliseconds(1);
    runner_.work = [this](const queue::JobRow& job, studio::JobObserver& observer) {
      return make_video(job, observer);
    };
  }

  queue::JobQueue open() { return queue::JobQueue(queue::open_sqlite(folder_.database())); }
  std::string add() {
    queue::NewJob job;
    job.request = "{}";
    const std::string id = queue_.add(job).job.id;
    fs::create_directories(folder_.work(id));
    return id;
  }
  void run() {
    queue::JobQueue mine = open();
    Worker([this] { return open(); }, mine, folder_, runner_, options_, [this] { return stopping_.load(); }, watcher_)
        .run();
  }
  fs::path make_video(const queue::JobRow& job, studio::JobObserver& observer) {
    observer.begin_phase("sample", 2);
    observer.step(1);
    fs::path file = folder_.result(job.id, job.attempt, ".mp4");
    std::ofstream(file) << "video of attempt " << job.attempt;
    return file;
  }
  static void wait_until_cancelled(const studio::JobObserver& observer) {
    while (!observer.cancelled()) std::this_thread::yield();
  }
  queue::JobRow row(const std::string& id) { return queue_.find(id).value(); }

  testing::TemporaryFolder parent_;
  store::DataFolder folder_{parent_ / "data"};
  queue::JobQueue queue_ = open();
  FakeRunner runner_;
  WorkerOptions options_;
  std::atomic<bool> stopping_ = false;
  Listener watcher_;
};

TEST_F(WorkerTest, DoesAJobAndEntersItsResult) {
  const std::string id = add();
  run();
  const queue::JobRow job = row(id);
  EXPECT_EQ(job.state, queue::JobState::kCompleted);
  EXPECT_THAT(job.result.value(), HasSubstr(R"("file":"result-1.mp4")"));
  EXPECT_THAT(job.result.value(), HasSubstr(R"("bytes":18)"));
  EXPECT_THAT(job.progress.value(), HasSubstr(R"("phase":"sample")"));
  EXPECT_TRUE(fs::exists(folder_.result(id, 1, ".mp4")));
  EXPECT_FALSE(fs::exists(folder_.work(id))) << "it is of no use any more";
  EXPECT_TRUE(queue_.workers().empty()) << "it has gone";
}

TEST_F(WorkerTest, KeepsAResultThatWasEnteredThoughNobodySaidSo) {
  const std::string id = add();
  runner_.work = [&](const queue::JobRow& job, studio::JobObserver& observer) {
    auto file = make_video(job, observer);
    // As where the connection is lost after the change and before the answer.
    EXPECT_TRUE(open().complete({job.id, job.attempt}, R"({"file":"result-1.mp4"})"));
    return file;
  };
  run();
  EXPECT_EQ(row(id).state, queue::JobState::kCompleted);
  EXPECT_TRUE(fs::exists(folder_.result(id, 1, ".mp4")));
  EXPECT_FALSE(fs::exists(folder_.work(id)));
}

TEST_F(WorkerTest, TakesOnlyJobsOfItsLane) {
  const std::string id = add();
  options_.lane = "pose";
  options_.idle_exit_seconds = 0;
  run();
  EXPECT_EQ(row(id).state, queue::JobState::kQueued);
  EXPECT_EQ(runner_.runs, 0);
}

TEST_F(WorkerTest, DoesOneJobAfterAnotherUntilThereIsNone) {
  for (int i = 0; i < 5; ++i) add();
  options_.once = false;
  options_.idle_exit_seconds = 0;
  run();
  EXPECT_EQ(runner_.runs, 5);
  for (const queue::JobRow& job : queue_.list()) EXPECT_EQ(job.state, queue::JobState::kCompleted);
}

TEST_F(WorkerTest, SaysWhatItIsWhileItWorks) {
  const std::string id = add();
  options_.id = "me";
  runner_.work = [&](const queue::JobRow&, studio::JobObserver&) {
    queue::JobQueue other = open();
    const auto workers = other.workers();
    EXPECT_EQ(workers.size(), 1U);
    EXPECT_EQ(workers.front().id, "me");
    EXPECT_EQ(workers.front().pid, ::getpid());
    EXPECT_EQ(workers.front().job, id);
    EXPECT_EQ(workers.front().device, "cpu");
    EXPECT_EQ(workers.front().dtype, "fp32");
    EXPECT_EQ(workers.front().setup, "models of the test");
    EXPECT_EQ(workers.front().gpu, "GPU-0f2a");
    EXPECT_GT(workers.front().resident_bytes, 1'000'000);
    EXPECT_EQ(other.find(id)->setup, "models of the test");
    return std::nullopt;
  };
  run();
  EXPECT_EQ(runner_.runs, 1);
}

TEST_F(WorkerTest, RemovesTheFilesOfAJobThatWasRemovedMeanwhile) {
  for (const bool in_time : {true, false}) {
    const std::string id = add();
    runner_.work = [&](const queue::JobRow& job, studio::JobObserver& observer) -> std::optional<fs::path> {
      open().remove(job.id);
      if (!in_time) return make_video(job, observer);
      wait_until_cancelled(observer);
      throw Error(ErrorKind::kCancelled, "stopped");
    };
    run();
    EXPECT_FALSE(queue_.find(id)) << in_time;
    EXPECT_FALSE(fs::exists(folder_.job(id))) << in_time;
  }
}

TEST_F(WorkerTest, RemovesTheFilesOfAJobThatIsRemovedBeforeItsFolderIsFree) {
  const std::string id = add();
  watcher_.heard = [&](const std::string& text) {
    if (text.find("is done") == std::string::npos) return;
    EXPECT_TRUE(store::remove_job(folder_, queue_, id));
    EXPECT_TRUE(fs::exists(folder_.job(id))) << "it is held";
  };
  run();
  EXPECT_FALSE(queue_.find(id));
  EXPECT_FALSE(fs::exists(folder_.job(id)));
}

TEST_F(WorkerTest, RemovesTheFilesOfAJobThatWasRemovedThoughItEndedInAWayNobodyForesaw) {
  const std::string id = add();
  runner_.work = [&](const queue::JobRow& job, studio::JobObserver& /*observer*/) -> std::optional<fs::path> {
    open().remove(job.id);
    throw std::runtime_error("unheard of");
  };
  EXPECT_THROW(run(), Error);
  EXPECT_FALSE(queue_.find(id));
  EXPECT_FALSE(fs::exists(folder_.job(id)));
}

TEST_F(WorkerTest, StopsAJobThatIsCancelledAndKeepsWhatIsDone) {
  const std::string id = add();
  runner_.work = [&](const queue::JobRow& job, studio::JobObserver& observer) -> std::optional<fs::path> {
    open().cancel(job.id);
    wait_until_cancelled(observer);
    throw Error(ErrorKind::kCancelled, "stopped");
  };
  run();
  EXPECT_EQ(row(id).state, queue::JobState::kCancelled);
  EXPECT_THAT(row(id).problem.value_or(""), HasSubstr(R"("type":"cancelled")"));
  EXPECT_TRUE(fs::exists(folder_.work(id)));
}

TEST_F(WorkerTest, GivesItsJobBackWhereItIsToStop) {
  const std::string id = add();
  options_.once = false;
  runner_.work = [&](const queue::JobRow&, studio::JobObserver& observer) -> std::optional<fs::path> {
    EXPECT_FALSE(observer.cancelled());
    stopping_ = true;
    wait_until_cancelled(observer);
    throw Error(ErrorKind::kCancelled, "stopped");
  };
  run();
  EXPECT_EQ(row(id).state, queue::JobState::kQueued);
  EXPECT_EQ(row(id).idle_attempts, 0);
  EXPECT_EQ(runner_.runs, 1) << "nor does it take another";
}

TEST_F(WorkerTest, WritesNothingOnceTheLeaseIsLost) {
  const std::string id = add();
  runner_.work = [&](const queue::JobRow& job, studio::JobObserver& observer) {
    // Another one takes it meanwhile and is done first.
    queue::JobQueue other = open();
    other.lose({job.id, job.attempt});
    const auto theirs = other.claim("video", "other", "cpu fp32", "models of the test").value();
    std::ofstream(folder_.result(theirs.id, theirs.attempt, ".mp4")) << "theirs";
    other.complete({theirs.id, theirs.attempt}, R"({"file":"result-2.mp4"})");
    wait_until_cancelled(observer);
    return make_video(job, observer);
  };
  run();
  EXPECT_EQ(row(id).state, queue::JobState::kCompleted);
  EXPECT_EQ(row(id).result, R"({"file":"result-2.mp4"})");
  EXPECT_FALSE(fs::exists(folder_.result(id, 1, ".mp4")));
  EXPECT_TRUE(fs::exists(folder_.result(id, 2, ".mp4")));
}

TEST_F(WorkerTest, RemovesVideosOfAttemptsThatDiedBeforeTheirRow) {
  const std::string id = add();
  const auto dead = queue_.claim("video", "dead", "cpu fp32", "models of the test").value();
  std::ofstream(folder_.result(id, dead.attempt, ".mp4")) << "left";
  std::ofstream(folder_.preview(id)) << "preview";
  queue_.lose_all_of("dead");
  run();
  EXPECT_FALSE(fs::exists(folder_.result(id, 1, ".mp4")));
  EXPECT_TRUE(fs::exists(folder_.result(id, 2, ".mp4")));
  EXPECT_TRUE(fs::exists(folder_.preview(id)));
}

TEST_F(WorkerTest, FailsAJobForWhatIsWrongWithIt) {
  const auto problem_of = [&](const std::function<void()>& fail) {
    const std::string id = add();
    runner_.work = [&](const queue::JobRow&, studio::JobObserver&) -> std::optional<fs::path> {
      fail();
      return std::nullopt;
    };
    run();
    EXPECT_EQ(row(id).state, queue::JobState::kFailed);
    return row(id).problem.value_or("");
  };
  EXPECT_EQ(problem_of([] { throw Error(ErrorKind::kInput, "the video is damaged"); }),
            R"({"type":"input","detail":"the video is damaged"})");
  EXPECT_THAT(problem_of([] { throw Error(ErrorKind::kUsage, "so"); }), HasSubstr("invalid-request"));
  EXPECT_THAT(problem_of([] { throw Error(ErrorKind::kEnvironment, "there is no such card"); }),
              AllOf(HasSubstr(R"("type":"environment")"), HasSubstr("there is no such card; once that is mended")));
  EXPECT_THAT(problem_of([] { throw std::bad_alloc(); }),
              AllOf(HasSubstr(R"("type":"out-of-memory")"), HasSubstr("memory ran out"), HasSubstr("resume the job")));
  EXPECT_THAT(problem_of([] { throw OutOfMemory("{} are too many", 5); }), HasSubstr(R"("type":"out-of-memory")"));
  EXPECT_THAT(problem_of([] { throw InputsChanged("person.png is gone"); }),
              AllOf(HasSubstr(R"("type":"inputs-changed")"), HasSubstr("send the files again")));
}

TEST_F(WorkerTest, GoesOnWithAJobWhoseDiskWasFullOnceItIsResumed) {
  const std::string id = add();
  const auto usual = runner_.work;
  runner_.work = [](const queue::JobRow&, studio::JobObserver&) -> std::optional<fs::path> {
    write_file("/dev/full", "a step");
    return std::nullopt;
  };
  run();
  EXPECT_EQ(row(id).state, queue::JobState::kFailed);
  EXPECT_THAT(row(id).problem.value_or(""), AllOf(HasSubstr(R"("type":"disk-full")"), HasSubstr("resume the job")));
  EXPECT_TRUE(fs::exists(folder_.work(id)));
  ASSERT_TRUE(queue_.resume(id, false));
  runner_.work = usual;
  run();
  EXPECT_EQ(row(id).state, queue::JobState::kCompleted);
  EXPECT_FALSE(row(id).problem);
}

TEST_F(WorkerTest, CallsFilesWhatTheirOwnersCallThem) {
  std::ofstream(parent_ / "dance.json") << "{}";
  const auto asset = store::store_file(folder_, queue_, parent_ / "dance.json");
  queue::NewJob job;
  job.request = "{}";
  job.assets = {asset.id};
  const std::string id = queue_.add(job).job.id;
  runner_.work = [&](const queue::JobRow&, studio::JobObserver&) -> std::optional<fs::path> {
    throw Error(ErrorKind::kInput, "{} has no poses, see {}", store::file_of(folder_, asset).string(),
                (folder_.work(id) / "job.json").string());
  };
  run();
  EXPECT_EQ(row(id).problem, R"({"type":"input","detail":"dance.json has no poses, see work/job.json"})");
}

TEST_F(WorkerTest, CallsModelsByTheirNames) {
  const std::string id = add();
  runner_.work = [&](const queue::JobRow&, studio::JobObserver&) -> std::optional<fs::path> {
    throw Error(ErrorKind::kInput, "/srv/models/loras/style.safetensors of /srv/models does not fit {}",
                "/opt/puppet/unet.safetensors");
  };
  run();
  EXPECT_EQ(row(id).problem, R"({"type":"input","detail":"loras/style.safetensors of the models folder does not fit )"
                             R"(embedded/unet.safetensors"})");
}

TEST_F(WorkerTest, TriesAgainWhatNobodyUnderstandsAndGivesUpInTheEnd) {
  const std::string id = add();
  runner_.work = [](const queue::JobRow&, studio::JobObserver&) -> std::optional<fs::path> {
    throw std::runtime_error("unheard of");
  };
  const std::string next = add();
  options_.once = false;
  for (int i = 0; i < 3; ++i) EXPECT_THROW(run(), Error) << "this process may be of no use any more";
  EXPECT_EQ(runner_.runs, 3);
  EXPECT_EQ(row(id).state, queue::JobState::kFailed);
  EXPECT_THAT(row(id).problem.value(), HasSubstr(R"("type":"worker-lost")"));
  EXPECT_THAT(row(id).problem.value(), HasSubstr("unheard of"));
  EXPECT_EQ(row(next).attempt, 0);
}

TEST_F(WorkerTest, CountsNoAttemptThatSavedSomething) {
  const std::string id = add();
  runner_.work = [&](const queue::JobRow& job, studio::JobObserver& observer) -> std::optional<fs::path> {
    observer.begin_phase("sample", 10);
    observer.step(1);
    EXPECT_EQ(row(id).idle_attempts, 1);
    std::ofstream(folder_.work(id) / fmt::format("segment-0-latents-{}.safetensors", job.attempt)) << "latents";
    observer.step(2);
    EXPECT_EQ(row(id).idle_attempts, 0);
    throw std::runtime_error("unheard of");
  };
  for (int i = 0; i < 5; ++i) EXPECT_THROW(run(), Error);
  EXPECT_EQ(row(id).state, queue::JobState::kQueued);
}

TEST_F(WorkerTest, CountsNoAttemptThatFoundThePeople) {
  const std::string id = add();
  fs::create_directories(folder_.poses_report(id));
  runner_.work = [&](const queue::JobRow& job, studio::JobObserver& observer) -> std::optional<fs::path> {
    observer.begin_phase("find people", 10);
    observer.step(1);
    if (job.attempt == 2) std::ofstream(folder_.poses_report(id) / "detected-0a.json") << "people";
    observer.begin_phase("draw poses", 10);
    EXPECT_EQ(row(id).idle_attempts, job.attempt == 2 ? 0 : job.attempt == 1 ? 1 : job.attempt - 2);
    throw std::runtime_error("unheard of");
  };
  for (int i = 0; i < 4; ++i) EXPECT_THROW(run(), Error);
  EXPECT_EQ(row(id).state, queue::JobState::kQueued);
  EXPECT_THROW(run(), Error);
  EXPECT_EQ(row(id).state, queue::JobState::kFailed) << "three attempts have saved nothing more";
}

TEST_F(WorkerTest, CountsThePreviewsOfAnAttempt) {
  const std::string id = add();
  std::ofstream(folder_.preview(id)) << "of an attempt before";
  const auto begun = fs::last_write_time(folder_.preview(id));
  runner_.work = [&](const queue::JobRow&, studio::JobObserver& observer) -> std::optional<fs::path> {
    for (int preview = 0; preview < 3; ++preview) {
      fs::last_write_time(folder_.preview(id), begun + std::chrono::seconds(preview));
      observer.begin_phase("sample", 10);
      EXPECT_THAT(row(id).progress.value(), HasSubstr(fmt::format("\"previews\":{}", preview)));
    }
    return std::nullopt;
  };
  run();
  EXPECT_EQ(runner_.runs, 1);
}

TEST_F(WorkerTest, LeavesAJobAloneWhoseFolderAHungProcessHolds) {
  const std::string id = add();
  const FolderLock hung(folder_.job(id), "worker");
  const double before = queue_.now();
  options_.idle_exit_seconds = 0;
  run();
  EXPECT_EQ(runner_.runs, 0);
  EXPECT_EQ(row(id).state, queue::JobState::kQueued);
  EXPECT_GE(row(id).not_before.value(), before + 60);
  EXPECT_LE(row(id).not_before.value(), queue_.now() + 60);
}

TEST_F(WorkerTest, ThatIsToDoOneJobLooksForAnotherWhereOneIsHeld) {
  const std::string held = add();
  const FolderLock hung(folder_.job(held), "worker");
  const std::string free = add();
  run();
  EXPECT_EQ(runner_.runs, 1);
  EXPECT_EQ(row(free).state, queue::JobState::kCompleted);
  EXPECT_EQ(row(held).idle_attempts, 0);
}

TEST_F(WorkerTest, FailsAJobWhoseFolderItCannotHave) {
  const std::string id = add();
  fs::create_directories(folder_.job(id) / ".lock");
  const std::string next = add();
  options_.once = false;
  options_.idle_exit_seconds = 0;
  run();
  EXPECT_EQ(row(id).state, queue::JobState::kFailed);
  EXPECT_THAT(row(id).problem.value_or(""), AllOf(HasSubstr(R"("type":"environment")"),
                                                  HasSubstr(".lock cannot be opened"), Not(HasSubstr("/data/"))));
  EXPECT_EQ(row(next).state, queue::JobState::kCompleted);
}

TEST_F(WorkerTest, GivesItsJobBackWhereTheDataFolderIsGone) {
  const std::string id = add();
  fs::rename(folder_.root() / "jobs", folder_.root() / "away");
  try {
    run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("given back"));
  }
  EXPECT_EQ(row(id).state, queue::JobState::kQueued);
  EXPECT_EQ(row(id).idle_attempts, 0);
}

TEST_F(WorkerTest, LeavesJobsToWaitWhereThereIsNoRoom) {
  const std::string id = add();
  options_.least_free_bytes = std::numeric_limits<std::uintmax_t>::max();
  options_.idle_exit_seconds = 0;
  run();
  EXPECT_EQ(runner_.runs, 0);
  EXPECT_EQ(row(id).state, queue::JobState::kQueued);
}

TEST_F(WorkerTest, CountsAJobAsLostWhereTheDatabaseIsOutOfReach) {
  const std::string id = add();
  const queue::JobRow job = queue_.claim("video", "me", "cpu fp32").value();
  const auto unreachable = []() -> queue::JobQueue { throw Error(ErrorKind::kEnvironment, "no way"); };
  const Lease lease(unreachable, {job.id, job.attempt}, {},
                    {std::chrono::milliseconds(1), std::chrono::milliseconds(5)});
  while (!lease.lost()) std::this_thread::yield();
  EXPECT_FALSE(lease.cancel_requested());
}

}  // namespace
}  // namespace unianimate::worker
