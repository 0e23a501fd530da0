// What becomes of results that gpu_check.sh's steps leave in a folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "gpu_check/setup.h"
#include "support/temporary_folder.h"

namespace unianimate::benchmarks {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class GpuCheckReport : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) const { std::ofstream(folder_ / name) << content; }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void report() const {
    benchmarks::Setup setup;
    setup.output = folder_.path();
    write_report(setup);
  }

 private:
  testing::TemporaryFolder folder_;
};

TEST_F(GpuCheckReport, ComparesWithPyTorchWhatIsTheSameWork) {
  write("bench.json", R"([
    {"what": "unet", "size": "64x64", "frames": 3, "batch": 1, "dtype": "bf16", "own_kernels": false, "seconds": 9.0},
    {"what": "unet", "size": "64x64", "frames": 3, "batch": 1, "dtype": "bf16", "own_kernels": true, "seconds": 0.5,
     "peak_bytes": 2500000000, "share_of_best": 0.25}])");
  write("pytorch.json", R"([
    {"what": "unet", "size": "64x64", "frames": 3, "batch": 1, "dtype": "bf16", "seconds": 1.5},
    {"what": "unet", "size": "64x64", "frames": 3, "batch": 1, "dtype": "fp16", "seconds": 1.5}])");
  report();
  const Row json = Row::parse(read("gpu_check.json"));
  EXPECT_EQ(json["pytorch"][0]["times_ours"], 3.0);
  EXPECT_FALSE(json["pytorch"][1].contains("times_ours"));
  EXPECT_THAT(read("gpu_check.md"), HasSubstr("| 64x64 | 3 | 1 | bf16 | yes | 0.5 | 2.50 GB | 25.0 % |"));
}

TEST_F(GpuCheckReport, TellsOfTestsAndSteps) {
  write("machine.tsv", "name\tSome card\n");
  write("steps.tsv", "memcheck\tfailed: exit status 1\t12\n");
  write("golden-a.json", R"({"testsuites": [{"name": "Files", "testsuite": [
    {"name": "Matches/a", "status": "RUN", "result": "COMPLETED", "time": "1s", "out": "1.00e-06"},
    {"name": "Matches/b", "status": "RUN", "result": "COMPLETED", "failures": [{"failure": "no"}]}]}]})");
  report();
  const std::string text = read("gpu_check.md");
  EXPECT_THAT(text, HasSubstr("- name: Some card"));
  EXPECT_THAT(text, HasSubstr("| memcheck | failed: exit status 1 | 12 |"));
  EXPECT_THAT(text, HasSubstr("| Matches/a | passed | out 1.00e-06 |"));
  EXPECT_THAT(text, HasSubstr("| Matches/b | failed |"));
}

TEST_F(GpuCheckReport, LeavesOutWhatWasCutOff) {
  write("clip.json", R"([{"what": "clip", "seco)");
  write("golden-models_golden_test.json", R"({"tests": 7, "testsui)");
  report();
  EXPECT_FALSE(Row::parse(read("gpu_check.json")).contains("clip"));
  EXPECT_THAT(read("gpu_check.md"), Not(HasSubstr("Whole videos")));
}

}  // namespace
}  // namespace unianimate::benchmarks
