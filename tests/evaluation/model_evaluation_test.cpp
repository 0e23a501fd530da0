// A small model of arbitrary weights, measured and counted again by hand.
#include "unianimate/evaluation/model_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/error.h"
#include "unianimate/evaluation/person_inputs.h"
#include "unianimate/families/families.h"
#include "unianimate/pipeline/animate.h"

namespace unianimate::evaluation {
namespace {

namespace fs = std::filesystem;
using family::ConditionSet;

constexpr std::uint64_t kFirst = 41;

Setting setting(const char* conditions) {
  Setting result{conditions, {}};
  result.request.conditions = ConditionSet::parse(conditions);
  result.request.sampling.steps = 1;
  result.request.guidance_scale = 1;
  return result;
}

class ModelEvaluationTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    testing::write_rule_models(folder_->path(), testing::tiny_model_configs());
  }
  static void TearDownTestSuite() { folder_.reset(); }

  ModelEvaluationTest() {
    fs::create_directory(temporary());
    ::setenv("TMPDIR", temporary().c_str(), 1);
    request_.people = {kFirst, kFirst + 1};
    request_.clip.width = 32;
    request_.clip.height = 64;
    request_.clip.frames = 3;
    request_.settings = {setting("reference"), setting("first-frame")};
    runtime_.compute = choose_compute(DeviceChoice::kCpu, DTypeChoice::kFloat32);
  }
  void TearDown() override {
    ::unsetenv("TMPDIR");
    fs::remove_all(temporary());
  }

  static fs::path temporary() { return *folder_ / "temporary"; }
  static family::ModelFiles files() { return family::find_model_files(folder_->path()); }

  /// Number 1 of the models are those of number 0 with the LoRA that is given.
  ModelEvaluation evaluate(const ModelEvaluationRequest& request, Progress& progress,
                           const std::vector<family::LoraFile>& loras = {}) {
    family::RuntimeOptions corrected = runtime_;
    corrected.loras = loras;
    const auto first = families::open_family(files(), runtime_);
    const auto second = families::open_family(files(), corrected);
    const std::array families{first.get(), second.get()};
    return evaluate_model(request, families, progress);
  }

  [[nodiscard]] puppet::Clip clip(std::uint64_t seed) const {
    puppet::ClipOptions options = request_.clip;
    options.seed = seed;
    return puppet::Clip(options);
  }

  static std::unique_ptr<testing::TemporaryFolder> folder_;
  ModelEvaluationRequest request_;
  family::RuntimeOptions runtime_;
  Progress silent_;
};

std::unique_ptr<testing::TemporaryFolder> ModelEvaluationTest::folder_;

/// Measures against a clip's frames.
class MeterSink : public FrameSink {
 public:
  explicit MeterSink(const puppet::Clip& clip) : clip_(clip) {}
  void write(const Image& frame) override {
    const std::int64_t index = meter.frames();
    meter.add(frame, clip_.frame(index), clip_.figure_mask(index));
  }
  void finish() override {}
  QualityMeter meter;

 private:
  const puppet::Clip& clip_;
};

TEST_F(ModelEvaluationTest, MeasuresWhatTheAnimatorMakes) {
  const ModelEvaluation evaluation = evaluate(request_, silent_);
  ASSERT_EQ(evaluation.rows.size(), 2U);
  const auto family = families::open_family(files(), runtime_);
  const ScratchFolder scratch;
  for (std::size_t i = 0; i < 2; ++i) {
    const SettingRow& row = evaluation.rows[i];
    ASSERT_EQ(row.row.people.size(), 2U);
    EXPECT_EQ(row.row.people[1].seed, kFirst + 1);
    EXPECT_GT(row.seconds_per_video, row.seconds_per_unet_call);
    EXPECT_GT(row.seconds_per_unet_call, 0);
    EXPECT_DOUBLE_EQ(row.row.mean.psnr, (row.row.people[0].quality.psnr + row.row.people[1].quality.psnr) / 2);

    const puppet::Clip person = clip(kFirst + 1);
    family::AnimateRequest by_hand = request_.fill_in(request_.settings[i]);
    write_person_inputs(person, i == 1, scratch.path() / std::to_string(i), by_hand, silent_);
    MeterSink sink(person);
    pipeline::animate(*family, by_hand, sink, silent_);
    EXPECT_EQ(sink.meter.frames(), 3);
    EXPECT_DOUBLE_EQ(row.row.people[1].quality.psnr, sink.meter.quality().psnr);
    EXPECT_DOUBLE_EQ(row.row.people[1].quality.figure_psnr.value(), sink.meter.quality().figure_psnr.value());
  }
}

TEST_F(ModelEvaluationTest, ComparesWithRepeatingTheReferenceAndWithTheAutoencoder) {
  request_.reconstruction = true;
  const ModelEvaluation evaluation = evaluate(request_, silent_);
  ASSERT_EQ(evaluation.baselines.size(), 3U);
  const puppet::Clip person = clip(kFirst);
  QualityMeter reference;
  QualityMeter first;
  for (std::int64_t i = 0; i < 3; ++i) {
    reference.add(person.reference(), person.frame(i));
    if (i > 0) first.add(person.frame(0), person.frame(i));
  }
  EXPECT_DOUBLE_EQ(evaluation.baselines[0].people[0].quality.psnr, reference.quality().psnr);
  EXPECT_DOUBLE_EQ(evaluation.baselines[1].people[0].quality.psnr, first.quality().psnr);
  EXPECT_GT(evaluation.baselines[2].mean.psnr, 1);
  request_.settings.pop_back();
  request_.reconstruction = false;
  EXPECT_EQ(evaluate(request_, silent_).baselines.size(), 1U);
}

TEST_F(ModelEvaluationTest, ComparesVariantsWithTheFirst) {
  request_.settings = {setting("reference"), setting("reference"), setting("reference")};
  request_.settings[1].compared_with = request_.settings[2].compared_with = 0;
  request_.settings[2].request.seed += 1;
  const ModelEvaluation evaluation = evaluate(request_, silent_);
  EXPECT_TRUE(evaluation.rows[0].against.people.empty());
  ASSERT_EQ(evaluation.rows[1].against.people.size(), 2U);
  EXPECT_EQ(evaluation.rows[1].against.mean.psnr, kEqualPsnr);
  EXPECT_EQ(evaluation.rows[1].against.people[1].seed, kFirst + 1);
  const double other_seed = evaluation.rows[2].against.mean.psnr;
  EXPECT_GT(other_seed, 1);
  EXPECT_LT(other_seed, kEqualPsnr);
}

TEST_F(ModelEvaluationTest, MeasuresHowFarLatentsAreApart) {
  request_.settings = {setting("reference"), setting("reference"), setting("reference"), setting("reference")};
  for (std::size_t i = 1; i < 4; ++i) request_.settings[i].compared_with = 0;
  request_.settings[2].models = 1;
  request_.settings[3].request.chain = family::ChainOptions{.segment_size = 2, .segment_overlap = 1};
  const std::string layer = "middle_block.1.proj_in";
  const std::vector<family::LoraFile> loras{{*folder_ / "lora.safetensors"}};
  checkpoint::save_safetensors(loras[0].path, {{layer + ".lora_down.weight", at::full({1, 32}, 0.5)},
                                               {layer + ".lora_up.weight", at::full({32, 1}, 0.5)}});
  const ModelEvaluation evaluation = evaluate(request_, silent_, loras);
  EXPECT_EQ(evaluation.rows[1].against.latent_distance(), 0);
  EXPECT_FALSE(evaluation.rows[3].against.latent_distance()) << "segments have other shapes";

  // the same by hand, of the second person
  family::RuntimeOptions corrected = runtime_;
  corrected.loras = loras;
  std::vector<at::Tensor> latents;
  pipeline::AnimateOptions options;
  options.latents_made = [&](const at::Tensor& made) { latents.push_back(made.to(at::kDouble)); };
  const ScratchFolder scratch;
  for (const family::RuntimeOptions& runtime : {runtime_, corrected}) {
    family::AnimateRequest by_hand = request_.fill_in(request_.settings[0]);
    const puppet::Clip person = clip(kFirst + 1);
    write_person_inputs(person, false, scratch.path() / "person", by_hand, silent_);
    MeterSink sink(person);
    pipeline::animate(*families::open_family(files(), runtime), by_hand, sink, silent_, options);
  }
  ASSERT_EQ(latents.size(), 2U);
  const double expected = ((latents[1] - latents[0]).norm() / latents[0].norm()).item<double>();
  EXPECT_GT(expected, 1e-3);
  EXPECT_NEAR(evaluation.rows[2].against.people[1].latent_distance.value(), expected, 1e-6);
}

TEST_F(ModelEvaluationTest, KeepsPicturesToLookAt) {
  const ModelEvaluation evaluation = evaluate(request_, silent_);
  ASSERT_EQ(evaluation.shown.size(), 2U);
  const ShownPerson& shown = evaluation.shown[0];
  const puppet::Clip person = clip(kFirst);
  EXPECT_EQ(shown.frames, (std::vector<std::int64_t>{0, 1, 2}));
  ASSERT_EQ(shown.references.size(), 2U);
  EXPECT_EQ(shown.references[0], person.reference());
  EXPECT_EQ(shown.references[1], person.frame(0));
  EXPECT_EQ(shown.truth[2], person.frame(2));
  EXPECT_EQ(shown.poses.size(), 3U);
  ASSERT_EQ(shown.results.size(), 2U);
  EXPECT_EQ(shown.results[1].size(), 3U);
}

TEST_F(ModelEvaluationTest, LeavesNoFilesWhenItIsCancelled) {
  struct : Progress {
    void step(std::int64_t done) override { enough = done > 0; }
    [[nodiscard]] bool cancelled() const override { return enough; }
    bool enough = false;
  } progress;
  EXPECT_THROW(evaluate(request_, progress), Error);
  EXPECT_TRUE(progress.enough);
  EXPECT_TRUE(fs::is_empty(temporary()));
}

TEST_F(ModelEvaluationTest, CountsCallsOfTheUNetOverAllVideos) {
  struct : Progress {
    void begin_phase(std::string_view name, std::int64_t steps) override {
      EXPECT_EQ(name, "animate people");
      total = steps;
    }
    void step(std::int64_t done) override {
      EXPECT_EQ(done, last + 1);
      last = done;
    }
    std::int64_t total = 0;
    std::int64_t last = 0;
  } progress;
  const ModelEvaluation evaluation = evaluate(request_, progress);
  EXPECT_EQ(progress.last, progress.total);
  EXPECT_EQ(progress.total, 2 * (evaluation.rows[0].unet_calls + evaluation.rows[1].unet_calls));
}

TEST_F(ModelEvaluationTest, RefusesWhatCannotBeMeasuredBeforeItBegins) {
  const auto refused = [&](const auto& spoil, const char* sentence) {
    ModelEvaluationRequest request = request_;
    spoil(request);
    try {
      evaluate(request, silent_);
      ADD_FAILURE() << "accepted: " << sentence;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(sentence));
    }
  };
  refused([](auto& r) { r.people = {5, 4}; }, "the people 5-4 run backwards");
  refused([](auto& r) { r.people = {0, UINT64_MAX}; }, "are more than the 10000");
  refused([](auto& r) { r.settings.clear(); }, "1 to 200 settings to measure, found 0");
  refused([](auto& r) { r.clip.frames = 0; }, "the frames must be 1 to");
  refused([](auto& r) { r.clip.width = 40; }, "the sides of 40x64 must be multiples of 16");
  refused([](auto& r) { r.settings[1].request.guidance_scale = -1; }, "guidance_scale must be");
}

TEST_F(ModelEvaluationTest, ATemporaryFolderThatCannotBeMadeIsNamed) {
  ::setenv("TMPDIR", "/proc", 1);
  EXPECT_THROW(ScratchFolder(), Error);
}

}  // namespace
}  // namespace unianimate::evaluation
