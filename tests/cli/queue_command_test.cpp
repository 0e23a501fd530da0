// The queue from the command line to the video, with the embedded model.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "cli/command.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/data_folder.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using testing::ProgramResult;
using Words = std::vector<std::string>;

class QueueCommand : public ::testing::Test {
 protected:
  QueueCommand() { person_ = run({"puppet", "--seed", "9", "--size", "64x96", "--frames", "6", "--output", "person"}); }

  [[nodiscard]] ProgramResult run(const Words& arguments) const { return testing::run_here(arguments, folder_.path()); }
  [[nodiscard]] static Words asked(const Words& before, const Words& after = {}) {
    Words words = before;
    for (const char* word :
         {"--reference", "person/reference.png", "--poses", "person/poses.json", "--size", "64x96", "--frames", "6"}) {
      words.emplace_back(word);
    }
    if (std::ranges::find(after, "--steps") == after.end()) words.insert(words.end(), {"--steps", "6"});
    words.insert(words.end(), after.begin(), after.end());
    return words;
  }
  [[nodiscard]] ProgramResult add(const Words& more = {}) const {
    return run(asked({"queue", "add", "--data", "data", "--json"}, more));
  }
  [[nodiscard]] std::string added(const Words& more = {}) const {
    const ProgramResult result = add(more);
    EXPECT_EQ(result.status, 0) << result.err;
    return json::parse(result.out).at("id");
  }
  [[nodiscard]] ProgramResult work(const Words& more = {"--once"}) const {
    Words words{"worker", "--data", "data", "--device", "cpu", "--dtype", "fp32", "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  [[nodiscard]] json shown(const std::string& id) const {
    const ProgramResult result = run({"queue", "show", id, "--data", "data", "--json"});
    EXPECT_EQ(result.status, 0) << result.err;
    return json::parse(result.out);
  }
  [[nodiscard]] std::string animated() const {
    const ProgramResult result =
        run(asked({"animate", "--device", "cpu", "--dtype", "fp32", "--quiet", "--output", "direct.mp4"}));
    EXPECT_EQ(result.status, 0) << result.err;
    return testing::file_content(folder_ / "direct.mp4");
  }
  [[nodiscard]] std::string video_of(const std::string& id) const {
    const std::string file = shown(id).at("result").at("file");
    return testing::file_content(folder_.path() / "data/jobs" / id / file);
  }

  testing::TemporaryFolder folder_;
  ProgramResult person_;
};

TEST_F(QueueCommand, MakesTheVideoThatAnimateMakesWithoutTheOriginals) {
  ASSERT_EQ(person_.status, 0) << person_.err;
  const std::string expected = animated();
  const std::string id = added({"--label", "first", "--priority", "3"});
  fs::remove_all(folder_ / "person");
  const json before = shown(id);
  EXPECT_EQ(before.at("state"), "queued");
  EXPECT_EQ(before.at("position"), 1);
  EXPECT_EQ(before.at("label"), "first");
  EXPECT_EQ(before.at("priority"), 3);
  EXPECT_EQ(before.at("request").at("settings").at("size"), "64x96") << "as clients of the service see it";
  EXPECT_EQ(before.at("request").count("order"), 0U);
  const ProgramResult worked = work();
  ASSERT_EQ(worked.status, 0) << worked.err;
  const json after = shown(id);
  ASSERT_EQ(after.at("state"), "completed") << after;
  EXPECT_EQ(after.at("result").at("frames"), 6);
  EXPECT_EQ(after.at("result").at("width"), 64);
  EXPECT_EQ(after.at("result").at("bytes"), expected.size());
  EXPECT_EQ(video_of(id), expected);
  const ProgramResult told = run({"queue", "show", id, "--data", "data"});
  EXPECT_THAT(told.out, HasSubstr((folder_.path() / "data/jobs" / id / "result-1.mp4").string()));
  EXPECT_THAT(told.out, HasSubstr("reference.png, image/png"));
  EXPECT_THAT(run({"queue", "list", "--data", "data"}).out, HasSubstr("first: result-1.mp4"));
}

TEST_F(QueueCommand, KeepsTheModelsOpenFromOneJobToTheNext) {
  const std::string one = added();
  const std::string two = added({"--seed", "5", "--format", "mkv"});
  const std::string three = added();
  ASSERT_EQ(work({"--idle-exit", "0"}).status, 0);
  EXPECT_EQ(video_of(one), video_of(three));
  EXPECT_EQ(shown(two).at("result").at("file"), "result-1.mkv");
  EXPECT_EQ(video_of(one), animated());
}

TEST_F(QueueCommand, CancelsAndResumes) {
  const std::string id = added();
  EXPECT_EQ(run({"queue", "cancel", id, "--data", "data"}).status, 0);
  EXPECT_EQ(shown(id).at("state"), "cancelled");
  EXPECT_EQ(work({"--idle-exit", "0"}).status, 0);
  EXPECT_EQ(shown(id).at("attempt"), 0);
  const ProgramResult again = run({"queue", "cancel", id, "--data", "data"});
  EXPECT_EQ(again.status, 2);
  EXPECT_THAT(again.err, HasSubstr("is cancelled: only what waits or runs can be cancelled"));
  EXPECT_EQ(run({"queue", "resume", id, "--data", "data"}).status, 0);
  EXPECT_EQ(run({"queue", "resume", id, "--data", "data"}).status, 2);
  EXPECT_EQ(shown(id).at("state"), "queued");
}

TEST_F(QueueCommand, DeletesJobsWithTheirFiles) {
  const std::string done = added();
  ASSERT_EQ(work().status, 0);
  const std::string waiting = added();
  const ProgramResult none = run({"queue", "delete", done, "j-nothing", "--data", "data"});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, HasSubstr("there is no job j-nothing"));
  EXPECT_EQ(shown(done).at("state"), "completed") << "all or nothing";
  const ProgramResult deleted = run({"queue", "delete", done, waiting, "--data", "data"});
  EXPECT_EQ(deleted.status, 0) << deleted.err;
  EXPECT_EQ(deleted.out, done + " is removed\n" + waiting + " is removed\n");
  EXPECT_FALSE(fs::exists(folder_.path() / "data/jobs" / done));
  EXPECT_THAT(run({"queue", "list", "--data", "data"}).out, HasSubstr("no jobs"));
}

TEST_F(QueueCommand, RefusesWhatAnimateRefuses) {
  const auto refusal = [&](const Words& more, int status) {
    const ProgramResult result = add(more);
    EXPECT_EQ(result.status, status) << result.err;
    return result.err;
  };
  EXPECT_THAT(refusal({"--motion", "dance.mp4"}, 2), HasSubstr("--motion"));
  EXPECT_THAT(refusal({"--priority", "101"}, 2), HasSubstr("--priority"));
  EXPECT_THAT(refusal({"--save-every", "0"}, 2), HasSubstr("save_every"));
  EXPECT_THAT(refusal({"--output", "x.mp4"}, 2), HasSubstr("--output"));
  EXPECT_THAT(refusal({"--alignment", "published", "--max-stretch", "1.5"}, 2),
              HasSubstr("--max-stretch has no effect with --alignment published"));
  EXPECT_THAT(refusal({"--preset", "draft", "--sampler", "lcm"}, 2), HasSubstr("preset draft does not go with"));
  EXPECT_THAT(refusal({"--extrapolate", "--guidance-every", "2", "--guidance", "2", "--steps", "8"}, 2),
              HasSubstr("extrapolate does not go with guidance_every"));
  EXPECT_THAT(refusal({"--chain", "--segment-size", "8", "--segment-overlap", "5"}, 2),
              HasSubstr("segment_overlap must be at most half of segment_size 8"));
  const ProgramResult missing =
      run({"queue", "add", "--data", "data", "--reference", "nobody.png", "--poses", "x.json"});
  EXPECT_EQ(missing.status, 3);
  EXPECT_THAT(missing.err, HasSubstr("nobody.png"));
  EXPECT_THAT(run({"queue", "list", "--data", "data"}).out, HasSubstr("no jobs"));
  EXPECT_EQ(run({"queue", "show", "j-nothing", "--data", "data"}).status, 2);
}

TEST_F(QueueCommand, RefusesAFolderWithoutModelsBeforeAJobIsTaken) {
  const std::string id = added();
  const ProgramResult worked = work({"--once", "--models", "person"});
  EXPECT_EQ(worked.status, 3);
  EXPECT_THAT(worked.err, HasSubstr("person holds no models"));
  EXPECT_EQ(shown(id).at("attempt"), 0);
}

TEST_F(QueueCommand, RefusesModelsWhoseFolderNoDatabaseKeeps) {
  fs::create_directories(folder_.path() / "mod\xe9les");
  const std::string id = added();
  for (const ProgramResult& refused : {work({"--once", "--models", "mod\xe9les"}), add({"--models", "mod\xe9les"}),
                                       run({"serve", "--data", "data", "--models", "mod\xe9les", "--dry-run"})}) {
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.err, HasSubstr("mod\\xe9les, has a name that is not UTF-8"));
  }
  EXPECT_EQ(shown(id).at("attempt"), 0);
}

TEST_F(QueueCommand, KeepsTheModelsThatWereMeant) {
  const auto make = [&](const std::string& name) {
    fs::create_directories(folder_.path() / "models" / name);
    std::ofstream(folder_.path() / "models" / name / "unianimate_16f_32f_non_ema_223000.safetensors") << "weights";
  };
  make("second");
  const std::string id = added({"--models", "models"});
  make("first");
  EXPECT_EQ(shown(id).at("request").at("settings").at("model"), "second");
  EXPECT_EQ(shown(added()).at("request").at("settings").count("model"), 0U) << "nobody said whose";
  EXPECT_THAT(add({"--models", "person"}).err, HasSubstr("person holds no models"));
}

TEST_F(QueueCommand, RefusesWhatTheModelsThatAreMeantDoNotDo) {
  const fs::path models = folder_.path() / "models/few";
  fs::create_directories(models);
  checkpoint::save_safetensors(models / "unianimate_16f_32f_non_ema_223000.safetensors", {{"weight", at::ones({2})}},
                               {{"sampler", "lcm"}, {"steps", "4"}, {"grid", "50"}});
  const ProgramResult refused = add({"--models", "models", "--sampler", "ddim", "--extrapolate"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("its few steps go with no preset and no shortcuts, found extrapolated"));
  EXPECT_THAT(run({"queue", "list", "--data", "data"}).err, HasSubstr("there is no queue in"));
  EXPECT_EQ(add({"--models", "models"}).status, 0);
  EXPECT_EQ(add({"--extrapolate"}).status, 0) << "nobody said whose";
}

TEST_F(QueueCommand, TellsWhyAJobFailed) {
  ASSERT_EQ(run({"queue", "add", "--data", "data", "--reference", "person/poses.json", "--poses", "person/poses.json",
                 "--json"})
                .status,
            0);
  ASSERT_EQ(work().status, 0);
  const ProgramResult listed = run({"queue", "list", "--data", "data"});
  EXPECT_THAT(listed.out, HasSubstr("failed"));
  EXPECT_THAT(listed.out, HasSubstr("poses.json"));
  EXPECT_THAT(listed.out, ::testing::Not(HasSubstr("assets"))) << listed.out;
}

/// A worker in a process of its own.
pid_t start_worker(const fs::path& folder) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::chdir(folder.c_str()) == 0) {
      ::execl(UNIANIMATE_PROGRAM, "unianimate", "worker", "--data", "data", "--device", "cpu", "--dtype", "fp32",
              "--quiet", "--idle-exit", "0", nullptr);
    }
    ::_exit(127);
  }
  return child;
}

TEST_F(QueueCommand, LosesNothingToWorkersThatAreKilled) {
  const std::string expected = animated();
  const std::string id = added();
  queue::JobQueue queue(queue::open_sqlite(folder_ / "data/server.db"));
  // Each is killed once it has told something new, the last one left alone.
  for (int kills = 0; kills < 4; ++kills) {
    const std::int64_t before = queue.find(id)->attempt;
    const pid_t worker = start_worker(folder_.path());
    int status = 0;
    while (::waitpid(worker, &status, WNOHANG) == 0) {
      const auto job = queue.find(id).value();
      if (job.attempt > before && job.progress && job.progress->find("\"sample\"") != std::string::npos) {
        ::kill(worker, SIGKILL);
      }
      queue.wait_for_change(std::chrono::milliseconds(5));
    }
    for (const queue::JobRow& job : queue.list()) {
      if (job.state == queue::JobState::kRunning) queue.lose({job.id, job.attempt});
    }
    if (queue.find(id)->state == queue::JobState::kFailed) queue.resume(id, false);
  }
  if (queue.find(id)->state != queue::JobState::kCompleted) {
    ASSERT_EQ(work().status, 0);
  }
  EXPECT_EQ(video_of(id), expected);
  EXPECT_FALSE(fs::exists(folder_.path() / "data/jobs" / id / "work"));
}

TEST_F(QueueCommand, LeavesHalfDoneWorkToItsOwnSettingsAndElseBeginsAnew) {
  const std::string id = added({"--steps", "40"});
  queue::JobQueue queue(queue::open_sqlite(folder_ / "data/server.db"));
  const fs::path work_folder = folder_.path() / "data/jobs" / id / "work";
  const auto holds_work = [&] {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(work_folder, none)) {
      if (entry.path().extension() == ".safetensors") return true;
    }
    return false;
  };
  const pid_t worker = start_worker(folder_.path());
  while (!holds_work()) queue.wait_for_change(std::chrono::milliseconds(1));
  ::kill(worker, SIGKILL);
  int status = 0;
  ::waitpid(worker, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << "it was done sooner than expected";
  const queue::JobRow half = queue.find(id).value();
  ASSERT_EQ(half.state, queue::JobState::kRunning);
  queue.lose_all_of(half.worker.value());
  queue.forget_worker(half.worker.value());

  const Words other{"--idle-exit", "0", "--memory-budget", "90GB"};
  ASSERT_EQ(work(other).status, 0);
  EXPECT_EQ(shown(id).at("state"), "queued") << "somebody may come who can go on";
  EXPECT_TRUE(holds_work());
  queue::open_sqlite(folder_ / "data/server.db")->execute("UPDATE job SET released=1");
  Words loud{"worker", "--data", "data", "--device", "cpu", "--dtype", "fp32"};
  loud.insert(loud.end(), other.begin(), other.end());
  const ProgramResult worked = run(loud);
  EXPECT_EQ(worked.status, 0);
  EXPECT_THAT(worked.err, HasSubstr("begun from the start, as what is done was made otherwise: memory_budget"));
  ASSERT_EQ(shown(id).at("state"), "completed") << shown(id);
  const ProgramResult direct = run(asked(
      {"animate", "--device", "cpu", "--dtype", "fp32", "--memory-budget", "90GB", "--quiet", "--output", "direct.mp4"},
      {"--steps", "40"}));
  ASSERT_EQ(direct.status, 0) << direct.err;
  EXPECT_EQ(video_of(id), testing::file_content(folder_ / "direct.mp4"));
}

TEST_F(QueueCommand, GivesBackTheJobOfAWorkerThatIsToldToStop) {
  const std::string expected = animated();
  const std::string id = added();
  queue::JobQueue queue(queue::open_sqlite(folder_ / "data/server.db"));
  const pid_t worker = start_worker(folder_.path());
  while (queue.find(id)->state == queue::JobState::kQueued) queue.wait_for_change(std::chrono::milliseconds(5));
  ::kill(worker, SIGTERM);
  int status = 0;
  ::waitpid(worker, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  const auto job = queue.find(id).value();
  if (job.state == queue::JobState::kQueued) {
    EXPECT_EQ(job.idle_attempts, 0);
    ASSERT_EQ(work().status, 0);
  }
  EXPECT_EQ(video_of(id), expected);
}

}  // namespace
}  // namespace unianimate
