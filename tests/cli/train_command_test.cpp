#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>

#include "cli/program.h"
#include "support/temporary_folder.h"
#include "training/tiny_training.h"

namespace unianimate::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using unianimate::testing::ProgramOptions;
using unianimate::testing::ProgramResult;
using unianimate::testing::run_program;
using unianimate::testing::TemporaryFolder;

class TrainCommand : public ::testing::Test {
 protected:
  TrainCommand() { training::testing::write_tiny_sizes(folder_.path() / "model.json"); }

  ProgramResult train(const std::string& output, const std::string& yaml, std::vector<std::string> more = {},
                      const std::string& signal_after = "", int signal = SIGKILL) {
    std::ofstream(folder_.path() / (output + ".yaml")) << yaml;
    ProgramOptions options;
    options.folder = folder_.path();
    options.interrupt_after = signal_after;
    options.signal = signal;
    std::vector<std::string> arguments{"train", output + ".yaml", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, options);
  }
  [[nodiscard]] std::vector<double> logged(const std::string& output, const std::string& name = "loss") const {
    return training::testing::logged(folder_.path() / output, name);
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }

 private:
  TemporaryFolder folder_;
};

TEST_F(TrainCommand, GoesOnAfterAKillAsIfNothingHadHappened) {
  ASSERT_EQ(train("whole", training::testing::autoencoder_yaml("whole", 40)).status, 0);
  const std::string yaml = training::testing::autoencoder_yaml("killed", 40);
  const ProgramResult stopped = train("killed", yaml, {}, "of 40", SIGTERM);
  EXPECT_THAT(stopped.err, ContainsRegex("stopped on request in the phase 'train' after ([0-9]+) of 40 steps; step "
                                         "[0-9]+ is saved, and the same command goes on"));
  EXPECT_EQ(train("killed", yaml, {}, "going on after step").status, 128 + SIGKILL);
  const ProgramResult rest = train("killed", yaml);
  ASSERT_EQ(rest.status, 0) << rest.err;
  EXPECT_THAT(rest.err, HasSubstr("going on after step"));
  EXPECT_EQ(logged("killed"), logged("whole"));
}

TEST_F(TrainCommand, TwoProcessesDoWhatOneDoes) {
  const ProgramResult alone = train("alone", training::testing::autoencoder_yaml("alone", 8, 2));
  ASSERT_EQ(alone.status, 0) << alone.err;
  const ProgramResult both = train("both", training::testing::autoencoder_yaml("both", 8, 2), {"--processes", "2"});
  ASSERT_EQ(both.status, 0) << both.err;
  EXPECT_THAT(both.out, HasSubstr("both/model"));
  // The norm tells a sum from a mean, which AdamW hardly does.
  for (const char* name : {"loss", "gradient_norm"}) {
    const std::vector<double> one = logged("alone", name);
    const std::vector<double> two = logged("both", name);
    ASSERT_EQ(one.size(), 8U);
    ASSERT_EQ(two.size(), 8U);
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_NEAR(two[i], one[i], 1e-4 * one[i]) << name << " of step " << i + 1;
    }
  }
}

TEST_F(TrainCommand, TwoTrainingsDoNotShareAFolder) {
  fs::create_directories(path("taken"));
  const int lock = ::open((path("taken") / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  const ProgramResult result = train("taken", training::testing::autoencoder_yaml("taken", 2));
  ::close(lock);
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("another training is writing to"));
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
