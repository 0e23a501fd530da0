#include "unianimate/core/control_groups.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string>

#include "support/temporary_folder.h"
#include "unianimate/core/threads.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kAnything = std::numeric_limits<std::int64_t>::max();

class ControlGroups : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    fs::create_directories((root_.path() / file).parent_path());
    std::ofstream(root_.path() / file) << text;
  }
  /// A group of version 2.
  void limit(const std::string& group, const std::string& most, const std::string& used, const std::string& cached) {
    write(group + "/memory.max", most + "\n");
    write(group + "/memory.current", used + "\n");
    write(group + "/memory.stat", "anon 5\ninactive_file " + cached + "\nactive_file 7\n");
  }
  [[nodiscard]] ControlGroupLimits read() const { return read_control_groups(root_.path()); }

  const testing::TemporaryFolder root_;
};

TEST_F(ControlGroups, WithoutAnyThereAreNoLimits) {
  EXPECT_EQ(read().memory_room, kAnything);
  EXPECT_TRUE(std::isinf(read().processors));
}

TEST_F(ControlGroups, TheSmallestLimitOfAllGroupsAboveCounts) {
  write("proc/self/cgroup", "0::/batch/job_7/step\n");
  write("proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
  limit("sys/fs/cgroup/batch/job_7/step", "max", "100", "0");
  limit("sys/fs/cgroup/batch/job_7", "1000", "700", "50");
  limit("sys/fs/cgroup/batch", "5000", "1000", "0");
  EXPECT_EQ(read().memory_room, 1000 - 700 + 50);
  limit("sys/fs/cgroup/batch", "1100", "1000", "0");
  EXPECT_EQ(read().memory_room, 100);
  limit("sys/fs/cgroup/batch", "900", "1000", "0");
  EXPECT_EQ(read().memory_room, 0);
  write("sys/fs/cgroup/batch/cpu.max", "150000 100000\n");
  write("sys/fs/cgroup/batch/job_7/cpu.max", "max 100000\n");
  EXPECT_EQ(read().processors, 1.5);
}

TEST_F(ControlGroups, CountWhomOfTheirsMemoryRanOutFor) {
  EXPECT_EQ(count_memory_kills(root_.path()), 0);
  write("proc/self/cgroup", "0::/batch/job_7\n");
  write("proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
  write("sys/fs/cgroup/batch/memory.events", "low 0\nhigh 0\nmax 9\noom 9\noom_kill 8\noom_group_kill 0\n");
  EXPECT_EQ(count_memory_kills(root_.path()), 0) << "these are others'";
  write("sys/fs/cgroup/batch/job_7/memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 0\n");
  EXPECT_EQ(count_memory_kills(root_.path()), 2);
}

TEST_F(ControlGroups, OfVersionOneCountThemToo) {
  write("proc/self/cgroup", "5:memory:/docker/abc\n");
  write("proc/self/mountinfo", "40 30 0:33 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
  write("sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
  EXPECT_EQ(count_memory_kills(root_.path()), 4);
}

TEST_F(ControlGroups, WhatSlowsAProcessDownIsALimitToo) {
  write("proc/self/cgroup", "0::/service\n");
  limit("sys/fs/cgroup/service", "max", "300", "0");
  write("sys/fs/cgroup/service/memory.high", "800\n");
  EXPECT_EQ(read().memory_room, 500);
}

TEST_F(ControlGroups, ThoseOfVersionOneAreRead) {
  write("proc/self/cgroup", "9:name=systemd:/\n4:memory:/slurm/job\n1:cpu,cpuacct:/slurm\n0::/\n");
  write("proc/self/mountinfo",
        "33 31 0:30 / /sys/fs/cgroup/cpu\\040time rw - cgroup cgroup rw,cpu,cpuacct\n"
        "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n");
  const std::string memory = "sys/fs/cgroup/memory";
  write(memory + "/memory.limit_in_bytes", "9223372036854771712\n");
  write(memory + "/memory.usage_in_bytes", "900\n");
  write(memory + "/slurm/job/memory.limit_in_bytes", "2000\n");
  write(memory + "/slurm/job/memory.usage_in_bytes", "500\n");
  write(memory + "/slurm/job/memory.stat", "inactive_file 3\ntotal_inactive_file 20\n");
  EXPECT_EQ(read().memory_room, 1520);
  write(memory + "/slurm/job/memory.stat", "hierarchical_memory_limit 800\ntotal_inactive_file 20\n");
  EXPECT_EQ(read().memory_room, 320);
  write("sys/fs/cgroup/cpu time/slurm/cpu.cfs_quota_us", "300000\n");
  write("sys/fs/cgroup/cpu time/slurm/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/cpu time/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu time/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(read().processors, 3);
}

TEST_F(ControlGroups, AContainerSeesItsOwnAtThePlaceOfTheMount) {
  write("proc/self/cgroup", "4:memory:/docker/abc\n");
  write("proc/self/mountinfo",
        "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
        "36 31 0:32 /docker/abc/inner /else rw - cgroup cgroup rw,memory\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "700\n");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "100\n");
  EXPECT_EQ(read().memory_room, 600);
}

TEST_F(ControlGroups, AMountThatIsNotListedIsReadAtItsUsualPlace) {
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "300000000\n");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "290000000\n");
  EXPECT_EQ(read().memory_room, 10'000'000);
}

TEST_F(ControlGroups, NonsenseLimitsNothing) {
  write("proc/self/cgroup", "0::/../..\nnonsense\n::\n");
  write("proc/self/mountinfo", "- - -\n1 2 3 / /x rw - cgroup2\n1 2 3 / \\999 rw - cgroup2 none rw\n\n");
  limit("sys/fs/cgroup", "99999999999999999999999", "-5", "x");
  write("sys/fs/cgroup/cpu.max", "0 0\n");
  EXPECT_EQ(read().memory_room, kAnything);
  EXPECT_TRUE(std::isinf(read().processors));
}

TEST(ThreadCount, IsWhatIsWantedOrWhatTheProcessMayUse) {
  EXPECT_EQ(thread_count(7), 7);
  EXPECT_EQ(library_threads(7), 7);
  EXPECT_GE(thread_count(0), 1);
}

}  // namespace
}  // namespace unianimate
