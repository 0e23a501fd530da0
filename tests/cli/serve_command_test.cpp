// The service from its command line to the video, with the embedded model.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <vector>

#include "cli/command.h"
#include "cli/program.h"
#include "server/http/client.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"
#include "unianimate/server/queue/job_queue.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using http::testing::Answer;
using http::testing::Client;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// `unianimate serve` in a process of its own, on a free port, with its data in "data".
class Service {
 public:
  explicit Service(const fs::path& folder) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe(ends.data()) != 0) return;
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      // Without these the program starts itself anew, as it does for users.
      for (const char* name : {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}) ::unsetenv(name);
      if (::chdir(folder.c_str()) == 0) {
        ::execl(UNIANIMATE_PROGRAM, "unianimate", "serve", "--listen", "127.0.0.1:0", "--data", "data", "--device",
                "cpu", "--dtype", "fp32", "--json", "--quiet", nullptr);
      }
      ::_exit(127);
    }
    ::close(ends[1]);
    read_address(ends[0]);
    ::close(ends[0]);
  }
  ~Service() { stop(); }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// As waitpid() tells it.
  int stop() {
    int status = 0;
    if (process_ <= 0) return status;
    ::kill(process_, SIGTERM);
    ::waitpid(std::exchange(process_, 0), &status, 0);
    return status;
  }

  /// Of the service and its workers, as ps and top show them.
  std::vector<std::string> process_names() const {
    const fs::path own = fmt::format("/proc/{}", process_);
    std::vector<std::string> names{testing::file_content(own / "comm")};
    for (const fs::directory_entry& thread : fs::directory_iterator(own / "task")) {
      std::istringstream workers(testing::file_content(thread.path() / "children"));
      for (std::string worker; workers >> worker;) {
        names.push_back(testing::file_content(fs::path("/proc") / worker / "comm"));
      }
    }
    return names;
  }

  Answer ask(const char* method, const std::string& target, const std::string& body = "", const char* type = "") {
    Client client(port_);
    client.send(
        fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\nContent-Type: {}\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    method, target, port_, token_, type, body.size(), body));
    return client.read_answer();
  }
  json ask_json(const char* method, const std::string& target, const std::string& body = "",
                const char* type = "application/json") {
    const Answer answer = ask(method, target, body, type);
    EXPECT_LT(answer.status, 300) << answer.body;
    return json::parse(answer.body);
  }
  json wait_until_over(const std::string& id) {
    json job = ask_json("GET", "/api/v1/jobs/" + id);
    while (job.at("state") == "queued" || job.at("state") == "running") {
      job = ask_json("GET", fmt::format("/api/v1/jobs/{}?wait=60&revision={}", id, job.at("revision").dump()));
    }
    return job;
  }

 private:
  void read_address(int descriptor) {
    std::string line;
    for (char letter = 0; ::read(descriptor, &letter, 1) == 1 && letter != '\n';) line += letter;
    std::smatch parts;
    if (!std::regex_search(line, parts, std::regex(R"#("url":"http://127\.0\.0\.1:(\d+)/#token=([0-9a-f]+)")#"))) {
      throw std::runtime_error("the first line is " + line);
    }
    port_ = static_cast<std::uint16_t>(std::stoi(parts[1]));
    token_ = parts[2];
  }

  pid_t process_ = 0;
  std::uint16_t port_ = 0;
  std::string token_;
};

TEST(ServeCommand, MakesTheVideoThatAnimateMakes) {
  const testing::TemporaryFolder folder;
  const auto run = [&](const std::vector<std::string>& words) { return testing::run_here(words, folder.path()); };
  ASSERT_EQ(run({"puppet", "--seed", "9", "--size", "64x96", "--frames", "6", "--output", "person"}).status, 0);
  ASSERT_EQ(
      run({"animate", "--reference", "person/reference.png", "--motion", "person/poses.json", "--size", "64x96",
           "--frames", "6", "--steps", "4", "--device", "cpu", "--dtype", "fp32", "--quiet", "--output", "direct.mp4"})
          .status,
      0);
  Service service(folder.path());
  const auto upload = [&](const char* file) -> std::string {
    return service.ask_json("POST", "/api/v1/assets", testing::file_content(folder / file), "application/octet-stream")
        .at("id");
  };
  json body{{"kind", "align"}, {"reference", upload("person/reference.png")}, {"motion", upload("person/poses.json")}};
  const std::string align = service.ask_json("POST", "/api/v1/jobs", body.dump()).at("id");
  body["kind"] = "animate";
  body["settings"] = {{"size", "64x96"}, {"frames", 6}, {"steps", 4}};
  const std::string animate = service.ask_json("POST", "/api/v1/jobs", body.dump()).at("id");
  const json poses = service.wait_until_over(align);
  EXPECT_EQ(poses.at("state"), "completed") << poses;
  EXPECT_THAT(service.ask("GET", "/api/v1/jobs/" + align + "/poses/contact_sheet.png").body, StartsWith("\x89PNG"));
  const json job = service.wait_until_over(animate);
  ASSERT_EQ(job.at("state"), "completed") << job;
  body["settings"]["model"] = "embedded";
  EXPECT_EQ(job.at("request").at("settings"), body.at("settings"));
  EXPECT_EQ(job.at("result").at("frames"), 6);
  EXPECT_TRUE(service.ask("GET", "/api/v1/jobs/" + animate + "/video").body ==
              testing::file_content(folder / "direct.mp4"));
  EXPECT_THAT(service.process_names(), AllOf(SizeIs(3), Each("unianimate\n"))) << "the service and its two workers";
  const int status = service.stop();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  queue::JobQueue queue(queue::open_sqlite(folder / "data/server.db"));
  EXPECT_TRUE(queue.workers().empty());
}

TEST(ServeCommand, EndsQuietlyWithItsWorkersWhereItIsToldTo) {
  const testing::TemporaryFolder folder;
  const auto result =
      testing::run_program({"serve", "--listen", "127.0.0.1:0", "--data", "data", "--device", "cpu"},
                           {.folder = folder.path(), .interrupt_after = "of lane pose is started", .signal = SIGTERM});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(result.out, HasSubstr("/#token="));
  EXPECT_THAT(result.err, HasSubstr("of lane video ended"));
  EXPECT_THAT(result.err, HasSubstr("of lane pose ended"));
  EXPECT_THAT(result.err, Not(HasSubstr("another is started")));
}

TEST(ServeCommand, TakesNamesAndOriginsAsRequestsHaveThem) {
  const testing::TemporaryFolder folder;
  const auto result = testing::run_here({"serve",
                                         "--data",
                                         "data",
                                         "--workers",
                                         "0",
                                         "--dry-run",
                                         "--host-name",
                                         "Videos.example.org",
                                         "--host-name",
                                         "localhost:8080",
                                         "--host-name",
                                         "[::1]:80",
                                         "--allow-origin",
                                         "https://example.org",
                                         "--allow-origin",
                                         "http://localhost:3000",
                                         "--allow-origin",
                                         "http://[::1]:3000",
                                         "--allow-origin",
                                         "chrome-extension://abcdef"},
                                        folder.path());
  EXPECT_EQ(result.status, 0) << result.err;
}

TEST(ServeCommand, TellsItsAddressAndNothingElseOnStdout) {
  const testing::TemporaryFolder folder;
  const auto result = testing::run_program(
      {"serve", "--listen", "127.0.0.1:0", "--data", "data", "--workers", "0", "--json"},
      {.folder = folder.path(), .interrupt_after = "no workers are started here", .signal = SIGTERM});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(json::parse(result.out).at("event"), "listening");
  EXPECT_THAT(result.err, HasSubstr(R"({"event":"note","message":"no workers are started here)"));
}

TEST(ServeCommand, RefusesWhatCannotBeBeforeItBegins) {
  const testing::TemporaryFolder folder;
  const auto refusal = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"serve", "--data", "data"};
    words.insert(words.end(), more.begin(), more.end());
    const auto result = testing::run_here(words, folder.path());
    EXPECT_NE(result.status, 0);
    EXPECT_EQ(result.out, "");
    return result.err;
  };
  for (const char* name : {"http://x/", "x/", "", "x:", "x:0", "x:y", "*", "x y", "[::1", "::1"}) {
    EXPECT_THAT(refusal({"--host-name", name}), HasSubstr("--host-name expects a name")) << name;
  }
  for (const char* origin : {"*", "example.org", "https://example.org/", "https://", "://x", "https://x:", "null",
                             "https://*.example.org", "https://me@example.org"}) {
    EXPECT_THAT(refusal({"--allow-origin", origin}), HasSubstr("--allow-origin expects a scheme and a host")) << origin;
  }
  EXPECT_THAT(refusal({"--allow-origin", "https://example.org:443"}), HasSubstr("leave out :443"));
  EXPECT_FALSE(fs::exists(folder / "data"));
  EXPECT_THAT(refusal({"--listen", "8720"}), HasSubstr("--listen expects ADDRESS:PORT"));
  EXPECT_THAT(refusal({"--listen", "0.0.0.0:0", "--no-token"}), HasSubstr("--no-token is for this machine alone"));
  EXPECT_THAT(refusal({"--listen", "127.0.0.1:0", "--token-file", "none"}), HasSubstr("token"));
  EXPECT_THAT(refusal({"--workers", "65"}), HasSubstr("--workers"));
  EXPECT_THAT(refusal({"--models", "none"}), HasSubstr("none holds no models, and no folder in it does"));
}

}  // namespace
}  // namespace unianimate
