// Groups of processes: what they compute together, and how they end when one of them does not go on.
#include "unianimate/distributed/process_group.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/distributed/local_launch.h"

namespace unianimate::distributed {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kProgram = UNIANIMATE_GROUP_MEMBER;
constexpr int kOwnFailure = 7;
constexpr int kEnvironmentStatus = 4;
constexpr int kInterrupted = 130;

struct Outcome {
  int exit_status = 0;
  std::string output;  ///< of all processes, stdout and stderr together
  double seconds = 0;
};

Outcome shell(const std::string& command) {
  Outcome outcome;
  const auto begin = std::chrono::steady_clock::now();
  FILE* pipe = ::popen(("{ " + command + " ; } 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t count = 0; (count = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.output.append(buffer.data(), count);
  const int status = ::pclose(pipe);
  outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return outcome;
}

Outcome run_group(int count, const std::string& task) {
  return shell("env -u RANK -u WORLD_SIZE " + std::string(kProgram) + " " + std::to_string(count) + " " + task);
}

class GroupSizeTest : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Sizes, GroupSizeTest, ::testing::Values(1, 2, 4));

TEST_P(GroupSizeTest, OperationsAreRight) {
  for (const char* task : {"sum", "broadcast", "barrier"}) {
    const Outcome outcome = run_group(GetParam(), task);
    EXPECT_EQ(outcome.exit_status, 0) << task << ": " << outcome.output;
  }
}

TEST(ProcessGroupTest, EachProcessHasItsPlace) {
  const Outcome outcome = run_group(3, "places");
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("0/3/0\n"), HasSubstr("1/3/1\n"), HasSubstr("2/3/2\n")));
}

TEST(ProcessGroupTest, CoresAreSharedUnlessSaidOtherwise) {
  EXPECT_EQ(shell("unset OMP_NUM_THREADS; taskset -c 0 " + std::string(kProgram) + " 2 threads").output, "1\n1\n");
  EXPECT_EQ(shell("OMP_NUM_THREADS=3 " + std::string(kProgram) + " 2 threads").output, "3\n3\n");
}

TEST(ProcessGroupTest, OneThatLeavesEndsTheOthersSoon) {
  const Outcome outcome = run_group(3, "last_leaves");
  EXPECT_EQ(outcome.exit_status, kOwnFailure) << outcome.output;
  EXPECT_LT(outcome.seconds, 15);
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("rank 0 of 3 lost the other processes"),
                                    HasSubstr("rank 1 of 3 lost the other processes"), Not(HasSubstr("frame #"))));
}

TEST(ProcessGroupTest, OneThatCrashesEndsTheOthersSoon) {
  constexpr int kKilled = 128 + 9;
  const Outcome outcome = run_group(2, "last_crashes");
  EXPECT_EQ(outcome.exit_status, kKilled);
  EXPECT_LT(outcome.seconds, 15);
  EXPECT_THAT(outcome.output, HasSubstr("rank 0 of 2 lost the other processes"));
}

TEST(ProcessGroupTest, OthersThatDoNotNoticeAreEnded) {
  const Outcome outcome = run_group(2, "last_leaves_others_work");
  EXPECT_EQ(outcome.exit_status, kOwnFailure);
  EXPECT_LT(outcome.seconds, 30);
}

TEST(ProcessGroupTest, OneThatHangsIsNotAwaitedForever) {
  const Outcome outcome = run_group(2, "last_hangs");
  EXPECT_EQ(outcome.exit_status, kEnvironmentStatus);
  EXPECT_LT(outcome.seconds, 30);
  EXPECT_THAT(outcome.output, HasSubstr("rank 0 of 2 lost the other processes"));
}

TEST(ProcessGroupTest, InterruptionsArePassedOnOnce) {
  const testing::TemporaryFolder folder;
  const std::string log = (folder / "log").string();
  // A background process of a shell without job control ignores SIGINT; env gives it back.
  const Outcome outcome =
      shell("touch " + log + "; env --default-signal=INT " + kProgram + " 2 wait_for_interruption > " + log +
            " & until [ $(grep -c waiting " + log + ") = 2 ]; do sleep 0.1; done; kill -INT $!; wait $!");
  EXPECT_EQ(outcome.exit_status, kInterrupted) << outcome.output;
}

TEST(ProcessGroupTest, ThoseWhoNeverComeAreNamed) {
  EXPECT_THROW(run_on_this_machine(0, nullptr), Error);

  const std::string member = std::string(" ") + kProgram + " 1 sum";
  const Outcome no_machine =
      shell("RANK=1 WORLD_SIZE=2 MASTER_ADDR=no-such-machine.invalid MASTER_PORT=29500" + member);
  EXPECT_EQ(no_machine.exit_status, kEnvironmentStatus);
  EXPECT_THAT(no_machine.output, HasSubstr("'no-such-machine.invalid' named by MASTER_ADDR could not be found"));

  for (const char* rank : {"0", "1"}) {
    const Outcome alone =
        shell("RANK=" + std::string(rank) + " WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=28417" + member);
    EXPECT_EQ(alone.exit_status, kEnvironmentStatus);
    EXPECT_LT(alone.seconds, 60);
    EXPECT_THAT(alone.output, StartsWith("error: rank " + std::string(rank) + " could not join the 2 processes"));
    EXPECT_EQ(std::count(alone.output.begin(), alone.output.end(), '\n'), 1) << alone.output;
  }
}

TEST(ProcessGroupTest, TwoOfOneRankAreRefused) {
  const std::string member = "WORLD_SIZE=3 MASTER_ADDR=127.0.0.1 MASTER_PORT=28418 " + std::string(kProgram) + " 1 sum";
  const Outcome outcome = shell("RANK=0 " + member + " & RANK=1 " + member + " & RANK=1 " + member + "; wait; exit 0");
  EXPECT_THAT(outcome.output, HasSubstr("two processes of the group have the rank 1"));
  EXPECT_LT(outcome.seconds, 60);
}

}  // namespace
}  // namespace unianimate::distributed
