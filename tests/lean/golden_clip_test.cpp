// A whole short clip through the library against frames of the published code, where the program's command line cannot
// be linked: every pipeline_* file of the golden folder, in fp32 and, where there is a card, in bf16 and fp16 on it
// too.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/golden_file.h"
#include "support/rule.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/core/device.h"
#include "unianimate/families/families.h"
#include "unianimate/family/pictures.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pipeline/animate.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using testing::GoldenFile;

struct Case {
  fs::path file;
  DeviceChoice device;
  DTypeChoice dtype;
};

std::string case_name(const Case& golden) {
  return fmt::format("{}_{}{}", testing::test_name(golden.file),
                     dtype_name(choose_compute(golden.device, golden.dtype).dtype),
                     golden.device == DeviceChoice::kCuda ? "_cuda" : "");
}

void PrintTo(const Case& golden, std::ostream* out) {
  *out << case_name(golden);
}

std::vector<Case> cases() {
  load_cuda_libraries(DeviceChoice::kAuto);
  const bool has_card = choose_compute(DeviceChoice::kAuto, DTypeChoice::kFloat32).device.is_cuda();
  std::vector<Case> all;
  for (const fs::path& file : testing::golden_files("pipeline_")) {
    // The other files go through the command line, in golden_pipeline_test.
    if (file.stem() == "pipeline_short") all.push_back({file, DeviceChoice::kCpu, DTypeChoice::kFloat32});
    if (!has_card) continue;
    for (const DTypeChoice dtype : {DTypeChoice::kFloat32, DTypeChoice::kBFloat16, DTypeChoice::kFloat16}) {
      all.push_back({file, DeviceChoice::kCuda, dtype});
    }
  }
  return all;
}

class KeptFrames : public FrameSink {
 public:
  void write(const Image& frame) override { frames_.push_back(family::tensor_from_image(frame)); }
  void finish() override {}
  [[nodiscard]] at::Tensor stacked() const { return at::stack(frames_); }

 private:
  std::vector<at::Tensor> frames_;
};

/// What `inner` is, but for the latent that sampling starts from: part of that is drawn on the device that computes,
/// and a card draws other numbers than the CPU, on which the golden frames were made.
class ReferenceWithStart : public family::Reference {
 public:
  ReferenceWithStart(std::unique_ptr<family::Reference> inner, at::Tensor start)
      : inner_(std::move(inner)), start_(std::move(start)) {}

  [[nodiscard]] at::Generator start(const at::Tensor& x, std::uint64_t seed,
                                    const std::function<void()>& touched) const override {
    at::Generator generator = inner_->start(x, seed, touched);
    x.copy_(start_);
    return generator;
  }
  [[nodiscard]] std::unique_ptr<family::ClipModel> condition(const family::ClipInputs& inputs,
                                                             Progress& progress) override {
    return inner_->condition(inputs, progress);
  }
  [[nodiscard]] std::unique_ptr<family::ClipDecoder> preview() const override { return inner_->preview(); }

 private:
  std::unique_ptr<family::Reference> inner_;
  at::Tensor start_;
};

class FamilyWithStart : public family::Family {
 public:
  FamilyWithStart(std::unique_ptr<family::Family> inner, at::Tensor start)
      : inner_(std::move(inner)), start_(std::move(start)) {}

  [[nodiscard]] const family::ClipGeometry& geometry() const override { return inner_->geometry(); }
  [[nodiscard]] const diffusion::NoiseProcess& process() const override { return inner_->process(); }
  [[nodiscard]] const family::RuntimeOptions& runtime() const override { return inner_->runtime(); }
  [[nodiscard]] std::vector<family::ModelSize> sizes() const override { return inner_->sizes(); }
  [[nodiscard]] std::vector<std::string> check() const override { return inner_->check(); }
  [[nodiscard]] double operations(const family::ClipShape& window) const override { return inner_->operations(window); }
  [[nodiscard]] double encode_operations(const family::AnimateRequest& request) const override {
    return inner_->encode_operations(request);
  }
  [[nodiscard]] family::WorkSeconds time_work(const family::AnimateRequest& request,
                                              const family::ClipShape& window) override {
    return inner_->time_work(request, window);
  }
  [[nodiscard]] std::int64_t carried_bytes(const family::ClipShape& window) const override {
    return inner_->carried_bytes(window);
  }
  [[nodiscard]] family::FeatureReuse feature_reuse(const family::ClipShape& window, std::int64_t below) const override {
    return inner_->feature_reuse(window, below);
  }
  [[nodiscard]] std::vector<family::MemoryUse> memory(const family::Workload& work) const override {
    return inner_->memory(work);
  }
  [[nodiscard]] std::unique_ptr<family::Reference> encode(const family::ReferencePictures& pictures,
                                                          const family::AnimateRequest& request,
                                                          const family::Residency& residency,
                                                          Progress& progress) override {
    return std::make_unique<ReferenceWithStart>(inner_->encode(pictures, request, residency, progress), start_);
  }
  [[nodiscard]] double decoding_operations(const family::ClipShape& latents,
                                           family::DecoderChoice decoder) const override {
    return inner_->decoding_operations(latents, decoder);
  }
  [[nodiscard]] bool has_small_decoder() const override { return inner_->has_small_decoder(); }
  [[nodiscard]] std::unique_ptr<family::ClipDecoder> decoder(family::DecoderChoice choice, std::int64_t batch,
                                                             const family::Residency& residency,
                                                             Progress& progress) override {
    return inner_->decoder(choice, batch, residency, progress);
  }
  [[nodiscard]] Image reconstruct(const Image& picture, Progress& progress) override {
    return inner_->reconstruct(picture, progress);
  }

 private:
  std::unique_ptr<family::Family> inner_;
  at::Tensor start_;
};

class GoldenClip : public ::testing::TestWithParam<Case> {
 protected:
  GoldenClip() {
    fs::create_directories(folder_ / "models");
    fs::create_directories(folder_ / "poses");
    testing::write_rule_models(folder_ / "models", testing::small_model_configs());
    write("reference.png", "reference300x200", 300, 200);
    write("poses/ref_pose.png", "refpose150x100", 150, 100);
  }

  void write(const std::string& file, const std::string& rule, int height, int width) {
    write_png(folder_ / file, family::image_from_tensor(testing::rule_picture(rule, height, width)));
  }

  testing::TemporaryFolder folder_;
};

family::AnimateRequest request_of(const GoldenFile& golden) {
  family::AnimateRequest request;
  const auto size = golden.metadata("resolution_WH").get<std::vector<int>>();
  request.width = size[0];
  request.height = size[1];
  request.frames = golden.metadata("frames").get<std::int64_t>();
  request.frame_interval = 1;
  request.sampling.steps = golden.metadata("ddim_timesteps").get<std::int64_t>();
  request.seed = golden.metadata("seed").get<std::uint64_t>();
  request.noise_prior = golden.metadata("noise_prior").get<std::int64_t>();
  if (const auto windows = golden.metadata("long"); !windows.is_null()) {
    request.noise_prior_order = diffusion::NoisePriorOrder::kLong;
    request.context.schedule = diffusion::ContextSchedule::kPublished;
    request.context.size = windows[0].get<std::int64_t>();
    request.context.overlap = windows[1].get<std::int64_t>();
    request.context.batch_size = windows[2].get<std::int64_t>();
  }
  return request;
}

TEST_P(GoldenClip, FramesMatch) {
  const GoldenFile golden(GetParam().file);
  family::RuntimeOptions runtime;
  runtime.compute = choose_compute(GetParam().device, GetParam().dtype);
  FamilyWithStart models(families::open_family(family::find_model_files(folder_ / "models"), runtime),
                         golden.tensor("x_T"));
  family::AnimateRequest request = request_of(golden);
  request.reference = folder_ / "reference.png";
  request.poses = folder_ / "poses";
  for (std::int64_t k = 0; k < *request.frames; ++k) {
    write(fmt::format("poses/{:04}.png", k), fmt::format("pose{}_150x100", k), 150, 100);
  }

  const bool exact = GetParam().dtype == DTypeChoice::kFloat32;
  for (const auto& [set, conditions] :
       std::map<std::string, std::string>{{"ref", "image,randomref,dwpose"}, {"local", "image,local_image,dwpose"}}) {
    const std::string name = set + ".frames";
    if (!golden.contains(name)) continue;
    request.conditions = family::ConditionSet::parse(conditions);
    KeptFrames frames;
    Progress silent;
    pipeline::animate(models, request, frames, silent);
    const at::Tensor difference = (frames.stacked().to(at::kInt) - golden.tensor(name).to(at::kInt)).abs();
    const double equal = difference.eq(0).to(at::kDouble).mean().item<double>();
    const double mean = difference.to(at::kDouble).mean().item<double>();
    RecordProperty(set + ".equal", fmt::format("{:.4f}", equal));
    RecordProperty(set + ".mean_difference", fmt::format("{:.3f}", mean));
    if (exact) {
      EXPECT_GE(equal, 0.999) << set;
      EXPECT_LE(difference.max().item<int>(), 1) << set;
    } else {
      // Of 255; weights by the rule amplify roundings much more than trained ones.
      constexpr double kMostOf16Bits = 8;
      EXPECT_LE(mean, kMostOf16Bits) << set;
    }
  }
}

// A folder of other golden files need not have one of each kind.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenClip);
INSTANTIATE_TEST_SUITE_P(Files, GoldenClip, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return case_name(test.param); });

}  // namespace
}  // namespace unianimate
