// Distillation as a training: what it writes, that it goes on exactly, and that its loss falls.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "training/tiny_training.h"
#include "unianimate/checkpoint/convert.h"
#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/checkpoint/weights_hash.h"
#include "unianimate/core/error.h"
#include "unianimate/family/distillation.h"
#include "unianimate/family/lora.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/training/optimizer.h"
#include "unianimate/training/puppet_footage.h"
#include "unianimate/training/task_factory.h"

namespace unianimate::training {
namespace {

namespace fs = std::filesystem;
using testing::distil_yaml;
using ::testing::HasSubstr;
using testing::losses;
using testing::run;

class DistillationTraining : public testing::TinyTraining {
 protected:
  DistillationTraining() {
    run(testing::autoencoder_yaml("ae", 2), root());
    run(testing::unet_yaml("unet", 4, "{sizes: model.json, autoencoder: ae/model}"), root());
  }
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
  const std::vector<std::pair<std::string, std::string>> values{
      {"method: dmd", "lcm or phased"},
      {"steps: 0", "distil.steps"},
      {"steps: 51", "distil.steps"},
      {"steps: few", "distil.steps"},
      {"guidance: -1", "distil.guidance"},
      {"guidance: .nan", "distil.guidance"},
      {"conditions: pose", "reference, first-frame or both"},
      {"noise_prior: 1.5", "distil.noise_prior"},
      {"target_ema: 1", "distil.target_ema"},
      {"coherent_share: 2", "distil.coherent_share"},
      {"offset_noise: -0.1", "distil.offset_noise"},
      {"step: 4", "distil.step"},
  };
  for (const auto& [value, said] : values) {
    EXPECT_THAT(refusal(distil_yaml("a", 1, ", " + value)), HasSubstr(said)) << value;
  }
  EXPECT_THAT(refusal(distil_yaml("a", 1, ", target_ema: 0.9", "lora: {rank: 2}")), HasSubstr("distil.target_ema"));
  EXPECT_THAT(refusal("task: distil\noutput: a\nmodel: {sizes: model.json, autoencoder: ae/model}\n"),
              HasSubstr("model.start"));
  const auto with = [](const std::string& from, const std::string& to) {
    std::string yaml = distil_yaml("a", 1, "");
    return yaml.replace(yaml.find(from), from.size(), to);
  };
  EXPECT_THAT(refusal(with("frames: 3", "frames: 0")), HasSubstr("distil.frames"));
  EXPECT_THAT(refusal(with("frames: 3", "frames: 4")), HasSubstr("at least distil.frames"));
  EXPECT_THAT(refusal(with("unet/model", "unet/model, train_clip: true")), HasSubstr("model.train_clip"));
  EXPECT_THAT(refusal(with("unet/model", "unet/model, temporal: mamba")), HasSubstr("a student begins as its teacher"));
  run(with("output: a\nmodel: {start: unet/model", "output: same\nmodel: {start: unet/model, temporal: transformer"),
      root());
  EXPECT_THAT(refusal(with("unet/model", "same/model")), HasSubstr("distilled already"));
  EXPECT_FALSE(fs::exists(root() / "a"));
}

/// A student of one teacher; the people kept aside are those that it learns from.
class Learner {
 public:
  explicit Learner(const TrainConfig& config)
      : config_(config),
        people_(std::make_shared<PuppetFootage>(config.people)),
        task_(make_task(config, describe_models(config), people_, people_, at::kCPU, silent_)),
        optimizer_(task_->parameters(), config.optimizer) {}

  /// All steps of the training, by heart of the same microbatch, which has the same clip, noise and timestep each time.
  /// The loss before the last step over that before the first.
  double train(bool by_heart) {
    std::vector<double> losses;
    for (std::int64_t step = 0; step < config_.steps; ++step) {
      optimizer_.zero_gradients();
      const Loss loss = task_->loss(by_heart ? 0 : step, 0);
      losses.push_back(loss.total.item<double>());
      loss.total.backward();
      task_->collect_gradients();
      optimizer_.step(config_.optimizer.learning_rate_at(step, config_.steps), 1);
      task_->step_done();
      task_->parameters_changed();
    }
    return losses.back() / losses.front();
  }
  /// How far its few steps end from the teacher's fifty, from noise that it did not learn.
  double distance() { return task_->validate().at("validation"); }

 private:
  TrainConfig config_;
  Progress silent_;
  std::shared_ptr<PuppetFootage> people_;
  std::unique_ptr<Task> task_;
  Optimizer optimizer_;
};

/// Students that have one clip alone to learn from.
class OneClip : public DistillationTraining {
 protected:
  Learner learner(const std::string& distil, std::int64_t steps, const std::string& more) {
    std::string yaml = distil_yaml("student", steps, ", " + distil, more);
    for (const auto& [from, to] : {std::pair<std::string, std::string>{"batch_size: 2", "batch_size: 1"},
                                   {"microbatches: 2", "microbatches: 1"},
                                   {"count: 4", "count: 1"}}) {
      yaml.replace(yaml.find(from), from.size(), to);
    }
    return Learner(parse_train_config(yaml, "test.yaml", root()));
  }
  /// Falls to a hundredth of itself.
  static constexpr const char* kFading =
      "optimizer: {learning_rate: 3.0e-3, warmup_steps: 0, decay_from: 0.1, last_learning_rate: 0.01}";
};

TEST_F(OneClip, IsLearntByHeartAndBringsPhasesNearerToTheTeacher) {
  Learner phased = learner("method: phased", 200, kFading);
  const double distance = phased.distance();
  EXPECT_LT(phased.train(true), 0.1);
  EXPECT_LT(phased.distance(), 0.85 * distance);
}

TEST_F(OneClip, FromAnyNoiseBringsOneStepNearerToTheTeachersFifty) {
  Learner lcm = learner("method: lcm", 100, "optimizer: {learning_rate: 3.0e-3, warmup_steps: 0}");
  const double distance = lcm.distance();
  lcm.train(false);
  EXPECT_LT(lcm.distance(), 0.9 * distance);
}

TEST_F(OneClip, LowersTheLossOfTheWholeUNetAndOfCorrections) {
  EXPECT_LT(learner("method: lcm", 30, "optimizer: {learning_rate: 3.0e-3, warmup_steps: 0}").train(true), 0.5);
  // Corrections do not reach the last convolution, which is what a teacher of few steps lacks most.
  EXPECT_LT(
      learner("method: phased", 20, "lora: {rank: 4}\noptimizer: {learning_rate: 3.0e-2, warmup_steps: 0}").train(true),
      0.95);
}

}  // namespace
}  // namespace unianimate::training
