// A queue in a database, and workers that share its data folder: from the command line to the videos.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "server/queue/postgres_server.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"
#include "unianimate/server/queue/job_queue.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::PostgresServer;
using testing::ProgramResult;
using Words = std::vector<std::string>;

constexpr const char* kPassword = "topsecret";

/// `unianimate` in a process of its own, with the queue's URL in its environment.
class Process {
 public:
  Process(const fs::path& folder, const std::string& url, Words words) {
    words.insert(words.begin(), "unianimate");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    fs::create_directories(folder);
    pid_ = ::fork();
    if (pid_ == 0) {
      const bool ready = ::chdir(folder.c_str()) == 0 && ::setenv("UNIANIMATE_QUEUE", url.c_str(), 1) == 0 &&
                         std::freopen("out", "w", stdout) != nullptr && std::freopen("err", "w", stderr) != nullptr;
      if (ready) ::execv(UNIANIMATE_PROGRAM, arguments.data());
      ::_exit(127);
    }
  }
  ~Process() { end(SIGKILL); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// As waitpid() tells it.
  int end(int signal) {
    int status = 0;
    if (pid_ <= 0) return status;
    ::kill(pid_, signal);
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return status;
  }
  /// Whoever waits for what it does has to ask.
  [[nodiscard]] bool is_there() {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
    return pid_ > 0;
  }

 private:
  pid_t pid_ = 0;
};

class SharedQueue : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!UNIANIMATE_POSTGRESQL) GTEST_SKIP() << "the program was built without PostgreSQL (libpq-dev)";
    if (!PostgresServer::is_installed()) {
      GTEST_SKIP() << "this machine has no server of PostgreSQL (Debian package postgresql): queues that machines "
                      "share are not tried";
    }
    url_ = PostgresServer::shared().new_database(std::string("postgres:") + kPassword + "@");
    ASSERT_EQ(run({"puppet", "--seed", "9", "--size", "64x96", "--frames", "6", "--output", "person"}).status, 0);
  }

  [[nodiscard]] ProgramResult run(const Words& arguments) const { return testing::run_here(arguments, folder_.path()); }
  [[nodiscard]] std::string data() const { return (folder_.path() / "shared").string(); }
  [[nodiscard]] ProgramResult queue_command(Words words) const {
    words.insert(words.end(), {"--data", data(), "--queue", url_});
    return run(words);
  }
  static Words video(Words before, const std::string& seed, const std::string& steps) {
    before.insert(before.end(), {"--reference", "person/reference.png", "--poses", "person/poses.json", "--size",
                                 "64x96", "--frames", "6", "--seed", seed, "--steps", steps});
    return before;
  }
  [[nodiscard]] std::string added(const std::string& seed, const std::string& steps) const {
    const ProgramResult result = queue_command(video({"queue", "add", "--json"}, seed, steps));
    EXPECT_EQ(result.status, 0) << result.err;
    return json::parse(result.out).at("id");
  }
  [[nodiscard]] std::string animated(const std::string& seed, const std::string& steps) const {
    const ProgramResult result = run(
        video({"animate", "--device", "cpu", "--dtype", "fp32", "--quiet", "--output", seed + ".mp4"}, seed, steps));
    EXPECT_EQ(result.status, 0) << result.err;
    return testing::file_content(folder_ / (seed + ".mp4"));
  }
  [[nodiscard]] queue::JobQueue open() const { return queue::JobQueue(queue::open_postgres(url_)); }
  /// That it made once, and only once.
  [[nodiscard]] std::string video_of(const queue::JobRow& job) const {
    const fs::path folder = fs::path(data()) / "jobs" / job.id;
    std::vector<fs::path> videos;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().filename().string().starts_with("result")) videos.push_back(entry.path());
    }
    EXPECT_EQ(videos.size(), 1U);
    const fs::path told = folder / json::parse(job.result.value_or("{}")).value("file", "none");
    EXPECT_EQ(videos.front(), told);
    return testing::file_content(told);
  }
  [[nodiscard]] Words worker() const {
    return {"worker", "--data", data(), "--device", "cpu", "--dtype", "fp32", "--idle-exit", "600"};
  }

  testing::TemporaryFolder folder_;
  std::string url_;
};

bool all_are_over(queue::JobQueue& queue) {
  const auto jobs = queue.list();
  return std::all_of(jobs.begin(), jobs.end(), [](const queue::JobRow& job) { return queue::is_over(job.state); });
}

TEST_F(SharedQueue, LosesNothingWhereOneOfTwoWorkersIsKilled) {
  struct Asked {
    std::string id;
    std::string expected;
  };
  // The first one is long enough to be killed in its middle.
  std::vector<Asked> asked;
  asked.push_back({added("1", "40"), animated("1", "40")});
  for (const char* seed : {"2", "3", "4"}) asked.push_back({added(seed, "3"), animated(seed, "3")});
  queue::JobQueue queue = open();
  Process first(folder_ / "one", url_, worker());
  const auto saves = [&] {
    const queue::JobRow job = queue.find(asked.front().id).value();
    return job.idle_attempts == 0 && job.attempt == 1;
  };
  while (first.is_there() && !saves()) queue.wait_for_change(std::chrono::seconds(1));
  Process second(folder_ / "two", url_, worker());
  ASSERT_EQ(first.end(SIGKILL), SIGKILL);
  ASSERT_EQ(queue.find(asked.front().id)->state, queue::JobState::kRunning) << "it was to be killed in the middle";
  // As if the time of its lease had gone by.
  queue::open_postgres(url_)->execute("UPDATE job SET lease_until=1 WHERE id=$1", {queue::SqlValue(asked.front().id)});
  while (second.is_there() && !all_are_over(queue)) queue.wait_for_change(std::chrono::seconds(1));
  EXPECT_EQ(second.end(SIGTERM), 0);
  for (const Asked& one : asked) {
    const queue::JobRow job = queue.find(one.id).value();
    ASSERT_EQ(job.state, queue::JobState::kCompleted) << job.problem.value_or("");
    EXPECT_EQ(job.attempt, one.id == asked.front().id ? 2 : 1);
    EXPECT_TRUE(video_of(job) == one.expected) << "is not what animate makes";
  }
}

TEST_F(SharedQueue, IsServedByWorkersWhoseArgumentsShowNoPassword) {
  const std::string expected = animated("5", "3");
  queue::JobQueue queue = open();
  Process serve(
      folder_ / "one", url_,
      {"serve", "--listen", "127.0.0.1:0", "--data", data(), "--device", "cpu", "--dtype", "fp32", "--workers", "1"});
  while (serve.is_there() && queue.workers().size() < 2) queue.wait_for_change(std::chrono::milliseconds(20));
  for (const queue::WorkerRow& worker : queue.workers()) {
    const std::string arguments = testing::file_content("/proc/" + std::to_string(worker.pid) + "/cmdline");
    EXPECT_THAT(arguments, HasSubstr("--lane"));
    EXPECT_THAT(arguments, Not(HasSubstr(kPassword)));
  }
  const std::string id = added("5", "3");
  while (serve.is_there() && !all_are_over(queue)) queue.wait_for_change(std::chrono::seconds(1));
  EXPECT_TRUE(video_of(queue.find(id).value()) == expected);
  EXPECT_EQ(serve.end(SIGTERM), 0);
  EXPECT_TRUE(queue.workers().empty());
  for (const char* file : {"out", "err"}) {
    EXPECT_THAT(testing::file_content(folder_ / "one" / file), Not(HasSubstr(kPassword)));
  }
}

TEST_F(SharedQueue, OutlastsItsDatabase) {
  PostgresServer server;
  const std::string url = server.new_database();
  const std::string expected = animated("6", "3");
  Process serve(folder_ / "one", url, {"serve", "--listen", "127.0.0.1:0", "--data", data()});
  Process worker(folder_ / "two", url,
                 {"worker", "--data", data(), "--device", "cpu", "--dtype", "fp32", "--idle-exit", "600"});
  const auto told = [&](const char* file, const char* what) {
    const fs::path path = folder_.path() / file;
    return fs::exists(path) && testing::file_content(path).find(what) != std::string::npos;
  };
  const auto wait_for = [&](Process& process, const char* file, const char* what) {
    while (process.is_there() && !told(file, what)) ::usleep(10'000);
    ASSERT_TRUE(process.is_there()) << testing::file_content(folder_ / "one/err");
  };
  wait_for(serve, "one/out", "#token=");
  {
    queue::JobQueue queue(queue::open_postgres(url));
    while (worker.is_there() && queue.workers().empty()) queue.wait_for_change(std::chrono::milliseconds(20));
  }
  server.kill();
  wait_for(worker, "two/err", "jobs wait until the queue can be reached again");
  wait_for(serve, "one/err", "workers are left alone until the queue can be reached");
  server.start();
  Words words = video({"queue", "add", "--json", "--data", data(), "--queue", url}, "6", "3");
  const std::string id = json::parse(run(words).out).at("id");
  queue::JobQueue queue(queue::open_postgres(url));
  while (worker.is_there() && !all_are_over(queue)) queue.wait_for_change(std::chrono::seconds(1));
  EXPECT_TRUE(video_of(queue.find(id).value()) == expected);
  EXPECT_EQ(worker.end(SIGTERM), 0);
  EXPECT_EQ(serve.end(SIGTERM), 0);
}

TEST_F(SharedQueue, StartsWorkersOnlyWhereItIsToldTo) {
  const auto planned = [&](const Words& more) {
    Words words{"serve", "--dry-run", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const ProgramResult result = queue_command(words);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, Not(HasSubstr(kPassword)));
    EXPECT_THAT(result.out, HasSubstr(R"("queue":"postgresql://postgres@)"));
    return json::parse(result.out).at("workers").size();
  };
  EXPECT_EQ(planned({}), 0U);
  EXPECT_EQ(planned({"--workers", "3"}), 4U);
  const ProgramResult alone = run({"serve", "--dry-run", "--json", "--data", data(), "--queue", ""});
  EXPECT_EQ(json::parse(alone.out).at("workers").size(), 2U);
}

TEST_F(SharedQueue, GoesWithOneDataFolder) {
  const std::string id = added("1", "3");
  EXPECT_EQ(queue_command({"queue", "show", id}).status, 0);
  const auto refusal = [&](const std::string& folder) {
    const ProgramResult result =
        run({"worker", "--idle-exit", "0", "--device", "cpu", "--data", folder, "--queue", url_});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("the queue goes with the data folder " + data() + ", and --data is "));
    EXPECT_THAT(result.err, Not(HasSubstr(kPassword)));
    return result.err;
  };
  refusal((folder_ / "elsewhere").string());
  fs::create_directory_symlink(data(), folder_ / "alias");
  refusal((folder_ / "alias").string());
  fs::rename(data(), folder_ / "moved");
  fs::create_directory(data());
  EXPECT_THAT(refusal(data()), HasSubstr("of another file system"));
  fs::remove_all(data());
  fs::rename(folder_ / "moved", data());
  EXPECT_EQ(run({"queue", "list", "--data", data() + "/../shared/", "--queue", url_}).status, 0) << "the same path";
}

TEST(SharedQueueCommands, RefuseUrlsWithoutRepeatingPasswords) {
  const testing::TemporaryFolder folder;
  for (const Words& words : std::vector<Words>{{"queue", "list"}, {"worker"}, {"serve"}, {"serve", "--dry-run"}}) {
    Words all = words;
    all.insert(all.end(), {"--data", "data", "--queue", "mysql://ann:topsecret@host/queue"});
    const ProgramResult result = testing::run_here(all, folder.path());
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("--queue expects a URL such as postgresql://user@host/database"));
    EXPECT_THAT(result.err + result.out, Not(HasSubstr(kPassword)));
    EXPECT_FALSE(fs::exists(folder / "data")) << "nothing is begun";
  }
}

}  // namespace
}  // namespace unianimate
