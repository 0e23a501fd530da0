#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cli/program.h"
#include "support/temporary_folder.h"
#include "training/tiny_training.h"

namespace unianimate::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using unianimate::testing::ProgramOptions;
using unianimate::testing::ProgramResult;
using unianimate::testing::run_program;
using unianimate::testing::TemporaryFolder;

class TrainCommand : public ::testing::Test {
 protected:
  TrainCommand() { training::testing::write_tiny_sizes(folder_.path() / "model.json"); }

  ProgramResult train(const std::string& output, const std::string& yaml, std::vector<std::string> more = {},
                      const std::string& kill_after = "") {
    std::ofstream(folder_.path() / (output + ".yaml")) << yaml;
    ProgramOptions options;
    options.folder = folder_.path();
    options.interrupt_after = kill_after;
    options.signal = SIGKILL;
    std::vector<std::string> arguments{"train", output + ".yaml", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, options);
  }
  [[nodiscard]] std::vector<double> losses(const std::string& output) const {
    return training::testing::losses(folder_.path() / output);
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }

 private:
  TemporaryFolder folder_;
};

TEST_F(TrainCommand, GoesOnAfterAKillAsIfNothingHadHappened) {
  ASSERT_EQ(train("whole", training::testing::autoencoder_yaml("whole", 40)).status, 0);
  const std::string yaml = training::testing::autoencoder_yaml("killed", 40);
  EXPECT_EQ(train("killed", yaml, {}, "of 40").status, 128 + SIGKILL);
  const ProgramResult rest = train("killed", yaml);
  ASSERT_EQ(rest.status, 0) << rest.err;
  EXPECT_EQ(losses("killed"), losses("whole"));
}

TEST_F(TrainCommand, TwoProcessesDoWhatOneDoes) {
  const ProgramResult alone = train("alone", training::testing::autoencoder_yaml("alone", 8, 2));
  ASSERT_EQ(alone.status, 0) << alone.err;
  const ProgramResult both = train("both", training::testing::autoencoder_yaml("both", 8, 2), {"--processes", "2"});
  ASSERT_EQ(both.status, 0) << both.err;
  EXPECT_THAT(both.out, HasSubstr("both/model"));
  const std::vector<double> one = losses("alone");
  const std::vector<double> two = losses("both");
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(two[i], one[i], 1e-4 * one[i]) << "step " << i + 1;
}

TEST_F(TrainCommand, RefusesMicrobatchesThatCannotBeShared) {
  const ProgramResult result = train("odd", training::testing::autoencoder_yaml("odd", 2, 3), {"--processes", "2"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("multiple of the number of processes"));
}

TEST_F(TrainCommand, NamesAnUnknownSettingBeforeAnythingIsWritten) {
  const ProgramResult result = train("bad", training::testing::autoencoder_yaml("bad", 2) + "rate: 3\n");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("rate"));
  EXPECT_FALSE(fs::exists(path("bad")));
}

TEST_F(TrainCommand, AFolderThatCannotBeWrittenToIsNamed) {
  std::ofstream(path("taken")) << "a file";
  const ProgramResult result = train("file", training::testing::autoencoder_yaml("taken/inside", 2));
  EXPECT_EQ(result.status, 4);
  EXPECT_THAT(result.err, HasSubstr("taken/inside"));
}

}  // namespace
}  // namespace unianimate::cli
