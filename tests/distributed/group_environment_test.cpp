// The place that environments give to a process, and those that are refused.
#include "unianimate/distributed/group_environment.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <map>
#include <string>

#include "unianimate/core/error.h"

namespace unianimate::distributed {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Variables = std::map<std::string, std::string>;

class GroupEnvironmentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"RANK", "WORLD_SIZE", "LOCAL_RANK", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "OMPI_COMM_WORLD_RANK",
          "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID",
          "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RESTART_COUNT"})
      ::unsetenv(name);
  }
  void TearDown() override { SetUp(); }

  GroupEnvironment read(const Variables& variables) {
    SetUp();
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    return read_group_environment();
  }

  std::string refusal(const Variables& variables) {
    try {
      read(variables);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "not refused";
  }
};

TEST_F(GroupEnvironmentTest, NothingSetIsAGroupOfOne) {
  for (const Variables& variables : {Variables{}, Variables{{"MASTER_ADDR", "somewhere"}},
                                     Variables{{"SLURM_NTASKS", "4"}}, Variables{{"RANK", "0"}, {"WORLD_SIZE", "1"}}}) {
    const GroupEnvironment group = read(variables);
    EXPECT_EQ(group.rank, 0);
    EXPECT_EQ(group.size, 1);
    EXPECT_EQ(group.local_rank, 0);
  }
}

TEST_F(GroupEnvironmentTest, EachLauncherIsUnderstood) {
  const Variables meeting{{"MASTER_ADDR", "node7"}, {"MASTER_PORT", "29500"}};
  const std::vector<Variables> launchers{
      {{"RANK", "5"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}},
      {{"SLURM_PROCID", "5"}, {"SLURM_NTASKS", "8"}, {"SLURM_LOCALID", "1"}},
      {{"OMPI_COMM_WORLD_RANK", "5"}, {"OMPI_COMM_WORLD_SIZE", "8"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "1"}},
      {{"PMI_RANK", "5"}, {"PMI_SIZE", "8"}, {"MPI_LOCALRANKID", "1"}}};
  for (Variables variables : launchers) {
    variables.insert(meeting.begin(), meeting.end());
    const GroupEnvironment group = read(variables);
    EXPECT_EQ(group.rank, 5);
    EXPECT_EQ(group.size, 8);
    EXPECT_EQ(group.local_rank, 1);
    EXPECT_EQ(group.master_address, "node7");
    EXPECT_EQ(group.master_port, 29500);
    EXPECT_FALSE(group.store_is_served);
  }
}

TEST_F(GroupEnvironmentTest, TorchrunWinsAndTellsWhoServesTheStore) {
  const GroupEnvironment group = read({{"RANK", "1"},
                                       {"WORLD_SIZE", "2"},
                                       {"SLURM_PROCID", "0"},
                                       {"SLURM_NTASKS", "1"},
                                       {"MASTER_ADDR", "::1"},
                                       {"MASTER_PORT", "1"},
                                       {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                       {"TORCHELASTIC_RESTART_COUNT", "3"}});
  EXPECT_EQ(group.size, 2);
  EXPECT_EQ(group.local_rank, 1) << "without one it is the rank";
  EXPECT_TRUE(group.store_is_served);
  EXPECT_EQ(group.attempt, "3");
}

TEST_F(GroupEnvironmentTest, HalfOfItIsRefused) {
  EXPECT_THAT(refusal({{"RANK", "0"}}), HasSubstr("WORLD_SIZE is not set"));
  EXPECT_THAT(refusal({{"WORLD_SIZE", "2"}}), HasSubstr("RANK is not set"));
  EXPECT_THAT(refusal({{"RANK", "0"}, {"WORLD_SIZE", "2"}}),
              AllOf(HasSubstr("MASTER_ADDR is not set"), HasSubstr("a group of 2 processes")));
  EXPECT_THAT(refusal({{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}, {"MASTER_ADDR", "a"}}), HasSubstr("MASTER_PORT"));
  EXPECT_THAT(refusal({{"RANK", ""}, {"WORLD_SIZE", "2"}}), HasSubstr("RANK is not set"));
}

TEST_F(GroupEnvironmentTest, NonsenseIsRefusedAndPrintedSafely) {
  EXPECT_THAT(refusal({{"RANK", "2"}, {"WORLD_SIZE", "2"}}), HasSubstr("RANK should be a whole number from 0 to 1"));
  EXPECT_THAT(refusal({{"RANK", "-1"}, {"WORLD_SIZE", "2"}}), HasSubstr("RANK"));
  EXPECT_THAT(refusal({{"RANK", "0"}, {"WORLD_SIZE", "0"}}), HasSubstr("WORLD_SIZE"));
  EXPECT_THAT(refusal({{"RANK", "0"}, {"WORLD_SIZE", "99999999999999999999"}}), HasSubstr("WORLD_SIZE"));
  EXPECT_THAT(refusal({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", "two"}}), HasSubstr("LOCAL_RANK"));
  for (const char* port : {"0", "65536", "-5", "80 ", "http", "1e3", "\x1b[2J"}) {
    const std::string message =
        refusal({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "localhost"}, {"MASTER_PORT", port}});
    EXPECT_THAT(message, HasSubstr("MASTER_PORT should be a whole number from 1 to 65535"));
    EXPECT_THAT(message, Not(HasSubstr("\x1b")));
  }
}

}  // namespace
}  // namespace unianimate::distributed
