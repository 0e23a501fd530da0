// The whole program against frames of the published code: models in the published containers, pictures in files, the
// command line, PNG frames. Every pipeline_* file of the golden folder is run.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "support/golden_file.h"
#include "support/rule.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/family/pictures.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using testing::GoldenFile;

Image rule_image(const std::string& name, int height, int width) {
  return family::image_from_tensor(testing::rule_picture(name, height, width));
}

class GoldenPipeline : public ::testing::TestWithParam<fs::path> {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    fs::create_directories(models());
    testing::write_rule_models(models(), testing::small_model_configs());
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static fs::path models() { return *folder_ / "models"; }

  static std::unique_ptr<testing::TemporaryFolder> folder_;
};

std::unique_ptr<testing::TemporaryFolder> GoldenPipeline::folder_;

TEST_P(GoldenPipeline, FramesMatchThroughTheCommandLine) {
  const GoldenFile golden(GetParam());
  const auto frames = golden.metadata("frames").get<std::int64_t>();
  const auto size = golden.metadata("resolution_WH").get<std::vector<int>>();
  const fs::path work = *folder_ / testing::test_name(GetParam());
  fs::create_directories(work / "poses");
  write_png(work / "reference.png", rule_image("reference300x200", 300, 200));
  write_png(work / "poses/ref_pose.png", rule_image("refpose150x100", 150, 100));
  for (std::int64_t k = 0; k < frames; ++k) {
    write_png(work / fmt::format("poses/{:04}.png", k), rule_image(fmt::format("pose{}_150x100", k), 150, 100));
  }

  std::string command = fmt::format(
      "{} animate --models {} --reference {} --poses {} --size {}x{} --frames {} --interval 1 --steps {} --seed {} "
      "--noise-prior {} --guidance 2.5 --dtype fp32 --device cpu --quiet",
      UNIANIMATE_PROGRAM, models().string(), (work / "reference.png").string(), (work / "poses").string(), size[0],
      size[1], frames, golden.metadata("ddim_timesteps").get<int>(), golden.metadata("seed").get<std::uint64_t>(),
      golden.metadata("noise_prior").get<int>());
  if (const auto windows = golden.metadata("long"); !windows.is_null()) {
    command += fmt::format(
        " --noise-prior-order long --context-schedule published --context-size {} "
        "--context-overlap {} --context-batch-size {}",
        windows[0].get<int>(), windows[1].get<int>(), windows[2].get<int>());
  }
  for (const auto& [set, conditions] : std::array<std::pair<const char*, const char*>, 2>{
           {{"ref", "image,randomref,dwpose"}, {"local", "image,local_image,dwpose"}}}) {
    const std::string name = fmt::format("{}.frames", set);
    if (!golden.contains(name)) continue;
    const fs::path output = work / set;
    ASSERT_EQ(std::system(fmt::format("{} --conditions {} --output {}/", command, conditions, output.string()).c_str()),
              0);

    const at::Tensor expected = golden.tensor(name).to(at::kInt);
    std::vector<at::Tensor> found;
    for (std::int64_t k = 0; k < frames; ++k)
      found.push_back(family::tensor_from_image(read_image(output / fmt::format("{:04}.png", k))));
    const at::Tensor difference = (at::stack(found).to(at::kInt) - expected).abs();
    const auto equal = difference.eq(0).to(at::kDouble).mean().item<double>();
    RecordProperty(std::string(set) + ".equal", std::to_string(equal));
    EXPECT_GE(equal, 0.999) << set;
    EXPECT_LE(difference.max().item<int>(), 1) << set;
  }
}

// A folder of other golden files need not have one of each kind.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenPipeline);
INSTANTIATE_TEST_SUITE_P(Files, GoldenPipeline, ::testing::ValuesIn(testing::golden_files("pipeline_")),
                         [](const auto& file) { return testing::test_name(file.param); });

}  // namespace
}  // namespace unianimate
