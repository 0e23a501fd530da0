// Groups of processes: what they compute together, and how they end when one of them does not go on.
#include "unianimate/distributed/process_group.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/distributed/bound_socket.h"
#include "unianimate/distributed/heartbeat.h"
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
};

std::int64_t lines(const std::string& output) {
  return std::count(output.begin(), output.end(), '\n');
}

/// A port that is kept for a group, and handed to those who are started here.
class MeetingPoint {
 public:
  MeetingPoint() : bound_(*BoundSocket::open("127.0.0.1", 0)) { ::fcntl(bound_.descriptor(), F_SETFD, 0); }
  [[nodiscard]] std::string variables() const {
    return "MASTER_ADDR=127.0.0.1 MASTER_PORT=" + std::to_string(bound_.port()) +
           " UNIANIMATE_MASTER_SOCKET=" + std::to_string(bound_.descriptor());
  }

 private:
  BoundSocket bound_;
};

Outcome shell(const std::string& command) {
  Outcome outcome;
  FILE* pipe = ::popen(("{ " + command + " ; } 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t count = 0; (count = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.output.append(buffer.data(), count);
  const int status = ::pclose(pipe);
  outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

Outcome run_group(int count, const std::string& task) {
  const testing::TemporaryFolder folder;
  return shell("env -u RANK -u WORLD_SIZE UNIANIMATE_TEST_FOLDER=" + folder.path().string() + " " +
               std::string(kProgram) + " " + std::to_string(count) + " " + task);
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

TEST(ProcessGroupTest, OneThatLeavesEndsTheOthers) {
  const Outcome outcome = run_group(3, "last_leaves");
  EXPECT_EQ(outcome.exit_status, kOwnFailure) << outcome.output;
  EXPECT_THAT(outcome.output, Not(HasSubstr("frame #")));
}

TEST(ProcessGroupTest, WhoWritesToOneThatHasGoneIsNotEndedByIt) {
  const Outcome outcome = run_group(2, "write_to_nobody");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
}

TEST(ProcessGroupTest, OneThatCrashesEndsTheOthersAndIsNamedOnce) {
  const Outcome outcome = run_group(2, "last_crashes");
  EXPECT_EQ(outcome.exit_status, kEnvironmentStatus);
  EXPECT_THAT(outcome.output, StartsWith("error: process 2 of 2 was ended by signal 9 (Killed)"));
  EXPECT_EQ(lines(outcome.output), 1) << outcome.output;
}

TEST(ProcessGroupTest, OthersThatDoNotNoticeAreEnded) {
  EXPECT_EQ(run_group(2, "last_leaves_others_work").exit_status, kOwnFailure);
}

TEST(ProcessGroupTest, OneThatIsStoppedIsNoticedByItsSilence) {
  const Outcome last = run_group(3, "last_stops");
  EXPECT_EQ(last.exit_status, kEnvironmentStatus);
  EXPECT_THAT(
      last.output,
      StartsWith("error: rank 0 of 3 lost the other processes: rank 2 has not answered for 3 s: it is stopped"));
  EXPECT_EQ(lines(last.output), 1) << last.output;
  const Outcome first = run_group(2, "first_stops");
  EXPECT_EQ(first.exit_status, kEnvironmentStatus);
  EXPECT_THAT(first.output, StartsWith("error: rank 1 of 2 lost the other processes: rank 0 has not answered"));
  EXPECT_EQ(lines(first.output), 1) << first.output;
}

TEST(ProcessGroupTest, OneThatIsSlowIsAwaited) {
  const Outcome outcome = run_group(2, "last_is_slow");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
}

TEST(ProcessGroupTest, AllMayBeStoppedAndGoOnTogether) {
  const Outcome outcome = run_group(2, "all_pause");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
}

TEST(SilenceMeterTest, CountsOnlyTheTimeInWhichItLooks) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  SilenceMeter meter(seconds(3));
  auto now = SilenceMeter::Clock::time_point(seconds(1000));
  EXPECT_FALSE(meter.look(false, now));
  for (int i = 0; i < 6; ++i) EXPECT_FALSE(meter.look(false, now += milliseconds(500)));
  EXPECT_TRUE(meter.look(false, now += milliseconds(500)));
  EXPECT_FALSE(meter.look(true, now += milliseconds(500)));
  EXPECT_FALSE(meter.look(false, now += seconds(900))) << "it stood still itself";
  EXPECT_FALSE(meter.look(false, now += milliseconds(500)));
}

TEST(BoundSocketTest, IsOfOneAddressAlone) {
  auto bound = BoundSocket::open("127.0.0.1", 0);
  ASSERT_TRUE(bound);
  EXPECT_GT(bound->port(), 0);
  EXPECT_THROW(BoundSocket::open("127.0.0.1", bound->port()), Error) << "nobody else gets it";
  EXPECT_FALSE(BoundSocket::open("192.0.2.1", 0)) << "an address for documents, which no machine has";
  EXPECT_FALSE(BoundSocket::open("a-name", 0));
}

TEST(ProcessGroupTest, LocalProcessesListenOnTheirOwnMachineOnly) {
  const Outcome outcome = run_group(2, "listeners");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
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
    const MeetingPoint place;
    const Outcome alone = shell("RANK=" + std::string(rank) + " WORLD_SIZE=2 " + place.variables() + member);
    EXPECT_EQ(alone.exit_status, kEnvironmentStatus);
    EXPECT_THAT(alone.output, StartsWith("error: rank " + std::string(rank) + " could not join the 2 processes"));
    EXPECT_EQ(lines(alone.output), 1) << alone.output;
  }
}

TEST(ProcessGroupTest, TwoOfOneRankAreRefused) {
  const MeetingPoint place;
  const std::string member = "WORLD_SIZE=3 " + place.variables() + " " + std::string(kProgram) + " 1 sum";
  const Outcome outcome = shell("RANK=0 " + member + " & RANK=1 " + member + " & RANK=1 " + member + "; wait; exit 0");
  EXPECT_THAT(outcome.output, HasSubstr("two processes of the group have the rank 1"));
}

}  // namespace
}  // namespace unianimate::distributed
