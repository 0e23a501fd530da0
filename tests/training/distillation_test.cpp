// Distillation as a training: what it writes, that it goes on exactly, and that it learns its teacher's result.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "training/tiny_training.h"
#include "unianimate/checkpoint/convert.h"
#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/checkpoint/weights_hash.h"
#include "unianimate/core/error.h"
#include "unianimate/family/distillation.h"
#include "unianimate/family/lora.h"
#include "unianimate/family/unianimate/model_files.h"

namespace unianimate::training {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::losses;
using testing::run;
using unianimate::testing::TemporaryFolder;

std::string distil_yaml(const std::string& output, std::int64_t steps, const std::string& distil,
                        const std::string& more = "") {
  return fmt::format(R"(
task: distil
output: {}
model: {{start: unet/model}}
size: [32, 48]
steps: {}
batch_size: 2
microbatches: 2
data: {{count: 4, coherent: 3, scattered: 2}}
validation: {{count: 2, coherent: 3, scattered: 2}}
distil: {{frames: 3{}}}
log_every: 1
validate_every: 0
sample_every: 0
save_every: 2
{})",
                     output, steps, distil, more);
}

class DistillationTraining : public ::testing::Test {
 protected:
  DistillationTraining() {
    at::set_num_threads(1);
    testing::write_tiny_sizes(root() / "model.json");
    run(testing::autoencoder_yaml("ae", 2), root());
    run(testing::unet_yaml("unet", 4, "{sizes: model.json, autoencoder: ae/model}"), root());
  }
  const fs::path& root() { return folder_.path(); }
  fs::path unet_of(const char* folder) { return family::model_files_to_write(root() / folder / "model").unet; }
  fs::path lora_of(const char* folder) { return root() / folder / "model" / "lora.safetensors"; }
  static family::Distillation distillation_of(const fs::path& file) {
    const auto found = family::read_distillation(checkpoint::open_checkpoint(file), file);
    EXPECT_TRUE(found) << file;
    return found.value_or(family::Distillation());
  }
  static at::Tensor tensor_of(const fs::path& file, const std::string& name) {
    const checkpoint::Checkpoint opened = checkpoint::open_checkpoint(file);
    return checkpoint::materialize(opened, *opened.find(name));
  }
  std::string refusal(const std::string& yaml) {
    try {
      run(yaml, root());
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was refused";
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(DistillationTraining, GoesOnExactlyWhereItWasStopped) {
  for (const std::string& more : {std::string(), std::string("lora: {rank: 2}")}) {
    for (const char* name : {"whole", "halves"}) fs::remove_all(root() / name);
    run(distil_yaml("whole", 5, ", conditions: both", more), root());
    testing::StopAfter after_three(3);
    EXPECT_FALSE(run(distil_yaml("halves", 5, ", conditions: both", more), root(), after_three).finished);
    EXPECT_TRUE(run(distil_yaml("halves", 5, ", conditions: both", more), root()).finished);
    EXPECT_EQ(losses(root() / "halves"), losses(root() / "whole")) << more;
    EXPECT_EQ(losses(root() / "whole").size(), 5U);
  }
}

TEST_F(DistillationTraining, TheTargetFollowsTheStudent) {
  run(distil_yaml("student", 3, ", target_ema: 0.5"), root());
  const std::string name = "input_blocks.0.0.weight";
  const at::Tensor before = tensor_of(unet_of("unet"), name);
  const at::Tensor target = tensor_of(root() / "student" / "state.safetensors", "target/" + name);
  const at::Tensor student = tensor_of(root() / "student" / "state.safetensors", "weight/unet." + name);
  EXPECT_GT((target - before).norm().item<double>(), 0);
  EXPECT_LT((target - before).norm().item<double>(), (student - before).norm().item<double>());
}

TEST_F(DistillationTraining, FilesSayHowTheyAreSampledAndWhatTheyAreFor) {
  run(distil_yaml("whole", 1, ", method: phased, steps: 2, guidance: 3, conditions: both"), root());
  const family::Distillation whole = distillation_of(unet_of("whole"));
  EXPECT_EQ(whole.name, "phased");
  EXPECT_EQ(whole.sampling.steps, 2);
  EXPECT_EQ(whole.guidance, 3);
  ASSERT_EQ(whole.conditions.size(), 2U);
  EXPECT_EQ(whole.conditions.back(), family::ConditionSet::parse("first-frame"));

  run(distil_yaml("tuned", 1, "", "lora: {rank: 2}"), root());
  EXPECT_FALSE(fs::exists(unet_of("tuned")));
  const family::Distillation tuned = distillation_of(lora_of("tuned"));
  EXPECT_EQ(tuned.name, "lcm");
  EXPECT_EQ(tuned.base, checkpoint::weights_hash(checkpoint::open_checkpoint(unet_of("unet"))));
  family::AnimateRequest request;
  EXPECT_NO_THROW(tuned.require_conditions(request));
  request.conditions = family::ConditionSet::parse("first-frame");
  EXPECT_THROW(tuned.require_conditions(request), Error);
}

TEST_F(DistillationTraining, ALoraIsRefusedForAnotherBaseAndTakenForItsCopies) {
  run(distil_yaml("tuned", 1, "", "lora: {rank: 2}"), root());
  const std::vector<family::LoraFile> lora{{lora_of("tuned")}};
  EXPECT_NO_THROW(family::require_base(lora, unet_of("unet")));
  Progress silent;
  const auto converted = [&](const fs::path& from, at::ScalarType type, const char* name) {
    checkpoint::convert_checkpoint(from, root() / name, {.floating_type = type}, silent);
    return root() / name;
  };
  const fs::path half = converted(unet_of("unet"), at::kHalf, "half.safetensors");
  for (const fs::path& copy : {half, converted(half, at::kFloat, "wide.safetensors"),
                               converted(unet_of("unet"), at::kBFloat16, "short.safetensors")}) {
    EXPECT_NO_THROW(family::require_base(lora, copy)) << copy;
  }
  run(testing::unet_yaml("unet2", 5, "{sizes: model.json, autoencoder: ae/model}"), root());
  try {
    family::require_base(lora, unet_of("unet2"));
    ADD_FAILURE() << "another base was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("lora.safetensors"));
    EXPECT_THAT(error.what(), HasSubstr("distilled from"));
  }
}

TEST_F(DistillationTraining, RefusesWhatCannotBeMeant) {
  EXPECT_THAT(refusal(distil_yaml("a", 1, ", method: dmd")), HasSubstr("lcm or phased"));
  EXPECT_THAT(refusal(distil_yaml("a", 1, ", steps: 51")), HasSubstr("distil.steps"));
  EXPECT_THAT(refusal(distil_yaml("a", 1, ", target_ema: 0.9", "lora: {rank: 2}")), HasSubstr("distil.target_ema"));
  EXPECT_THAT(refusal("task: distil\noutput: a\nmodel: {sizes: model.json, autoencoder: ae/model}\n"),
              HasSubstr("model.start"));
  EXPECT_FALSE(fs::exists(root() / "a"));
}

TEST_F(DistillationTraining, LearnsTheTeachersResult) {
  std::string yaml = distil_yaml("student", 60, ", noise_prior: 1",
                                 "optimizer: {learning_rate: 2.0e-3, warmup_steps: 5, ema_decay: 0.9}");
  yaml.replace(yaml.find("validate_every: 0"), 17, "validate_every: 20");
  run(yaml, root());
  const std::vector<double> distance = testing::logged(root() / "student", "validation");
  ASSERT_EQ(distance.size(), 3U);
  EXPECT_LT(distance.back(), distance.front());
}

}  // namespace
}  // namespace unianimate::training
