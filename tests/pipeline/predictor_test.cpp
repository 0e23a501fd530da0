#include "unianimate/pipeline/predictor.h"

#include <ATen/record_function.h>
#include <gtest/gtest.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <limits>

#include "support/golden_file.h"
#include "support/rule.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/core/random.h"
#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/family/pictures.h"
#include "unianimate/family/unianimate/unet_model.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate::pipeline {
namespace {

using testing::relative_error;
using testing::rule_input;

constexpr models::LatentShape kClip{1, 11, 8, 8};
constexpr std::int64_t kTimestep = 500;

class ClipPredictorTest : public ::testing::Test {
 protected:
  ClipPredictorTest() {
    testing::fill_by_rule(unet_.named_parameters());
    conditions_.empty_prompt = rule_input("zero_y", {1, 77, 64});
    conditions_.image = rule_input("image", {1, 1, 64});
    conditions_.reference_latent = rule_input("randomref", {1, 4, 8, 8});
    family::PoseFolder folder;
    folder.reference_pose = folder_ / "ref_pose.png";
    write_png(folder.reference_pose, family::image_from_tensor(reference_pose_));
    std::vector<std::int64_t> indices;
    for (std::int64_t k = 0; k < kClip.frames; ++k) {
      folder.poses.push_back(folder_ / fmt::format("{:02}.png", k));
      write_png(folder.poses.back(), family::image_from_tensor(pose(k)));
      indices.push_back(k);
    }
    poses_.emplace(folder, indices, Framing{}, PictureSize{64, 64}, progress_);
    conditions_.poses = &*poses_;
  }

  static at::Tensor pose(std::int64_t frame) { return testing::rule_picture("pose" + std::to_string(frame), 64, 64); }

  [[nodiscard]] at::Tensor predict(const diffusion::ContextWindowOptions& windows, double guidance_scale) {
    const std::int64_t size = std::min(kClip.frames, windows.size);
    family::UNetModel model(unet_, conditions_, {size, kClip.height, kClip.width});
    ClipPredictor predictor(model, windows, {}, *group_, progress_);
    diffusion::StepWork work{.guidance_scale = guidance_scale};
    if (guidance_scale != 1.0) work.unconditional = diffusion::PassWork::kFull;
    std::vector<at::Tensor> parts;
    std::int64_t next = 0;
    predictor.predict(x_, kTimestep, work, [&](std::int64_t first, const at::Tensor& v) {
      EXPECT_EQ(first, next);
      next = first + v.size(2);
      parts.push_back(v.clone());
      // What is handed out is not looked at again.
      x_.narrow(2, first, v.size(2)).fill_(std::numeric_limits<float>::quiet_NaN());
    });
    x_ = rule_input("x", {1, 4, kClip.frames, kClip.height, kClip.width});
    return at::cat(parts, 2);
  }

  /// One window's prediction straight from the UNet.
  [[nodiscard]] at::Tensor predict_window(const diffusion::ContextWindow& window, bool conditional) const {
    models::UNetConditions conditions;
    if (conditional) {
      std::vector<at::Tensor> poses{reference_pose_};
      for (std::int64_t frame = window.first; frame < window.end(); ++frame) poses.push_back(pose(frame));
      conditions.image = conditions_.image;
      conditions.randomref = conditions_.reference_latent.unsqueeze(2);
      conditions.dwpose = at::stack(poses).to(at::kFloat).div(255).permute({3, 0, 1, 2}).unsqueeze(0);
    }
    const models::LatentShape shape{1, window.size, kClip.height, kClip.width};
    return unet_(x_.narrow(2, window.first, window.size), at::full({1}, kTimestep, at::kLong),
                 unet_.encode(conditions, conditions_.empty_prompt, shape));
  }

  c10::InferenceMode inference_;
  models::UNet unet_{testing::small_model_configs().unet, at::TensorOptions()};
  family::ClipConditions conditions_;
  testing::TemporaryFolder folder_;
  at::Tensor reference_pose_ = testing::rule_picture("reference_pose", 64, 64);
  std::optional<family::PosePictures> poses_;
  std::unique_ptr<distributed::ProcessGroup> group_ = distributed::ProcessGroup::of_one();
  at::Tensor x_ = rule_input("x", {1, 4, kClip.frames, kClip.height, kClip.width});
  Progress progress_;
};

TEST_F(ClipPredictorTest, EveryFrameIsTheWeightedMeanOfTheWindowsThatCoverIt) {
  for (const auto weights : {diffusion::ContextWeights::kPublished, diffusion::ContextWeights::kHann}) {
    for (const auto schedule : {diffusion::ContextSchedule::kPublished, diffusion::ContextSchedule::kEven}) {
      const diffusion::ContextWindowOptions windows{
          .size = 5, .overlap = 2, .batch_size = 1, .schedule = schedule, .weights = weights};
      const std::vector<float> of_frames = diffusion::context_weights(5, weights);
      std::array<at::Tensor, 2> means;
      for (const bool conditional : {false, true}) {
        at::Tensor sum = at::zeros_like(x_);
        std::vector<float> counts(kClip.frames);
        for (const diffusion::ContextWindow& window : diffusion::context_windows(kClip.frames, windows, 0)) {
          const at::Tensor v = predict_window(window, conditional);
          for (std::int64_t i = 0; i < window.size; ++i) {
            const float weight = of_frames.at(static_cast<std::size_t>(i));
            sum.select(2, window.first + i).add_(weight * v.select(2, i));
            counts.at(static_cast<std::size_t>(window.first + i)) += weight;
          }
        }
        means.at(conditional ? 1 : 0) = sum / at::tensor(counts).view({-1, 1, 1});
      }
      const at::Tensor expected = means[0] + 2.5 * (means[1] - means[0]);
      EXPECT_LE(relative_error(predict(windows, 2.5), expected), 2e-6);
      EXPECT_LE(relative_error(predict(windows, 1.0), means[1]), 2e-6);
    }
  }
}

TEST_F(ClipPredictorTest, WindowsInBatchesGiveTheSame) {
  const at::Tensor one_by_one = predict({.size = 4, .overlap = 1, .batch_size = 1}, 2.5);
  for (const std::int64_t batch_size : {2, 3, 100}) {
    const at::Tensor batched = predict({.size = 4, .overlap = 1, .batch_size = batch_size}, 2.5);
    EXPECT_LE(relative_error(batched, one_by_one), 4e-6) << batch_size;
  }
}

TEST_F(ClipPredictorTest, AShortClipIsOneWindow) {
  EXPECT_TRUE(at::equal(predict({.size = 11, .overlap = 2}, 2.5), predict({.size = 100, .overlap = 50}, 2.5)));
}

TEST_F(ClipPredictorTest, CancelsBetweenWindows) {
  struct : Progress {
    [[nodiscard]] bool cancelled() const override { return now; }
    bool now = false;
  } progress;
  family::UNetModel model(unet_, conditions_, {4, kClip.height, kClip.width});
  ClipPredictor predictor(model, {.size = 4, .overlap = 1}, {}, *group_, progress);
  progress.now = true;
  EXPECT_THROW(predictor.predict(x_, kTimestep, {}, [](std::int64_t, const at::Tensor&) {}), Error);
}

// What libtorch's C++ does not know of tensors without numbers: the shapes of these results.
at::Tensor shape_of_convolution(const at::Tensor& x, const at::Tensor& weight,
                                const std::optional<at::Tensor>& /*bias*/, at::IntArrayRef stride,
                                at::IntArrayRef padding, at::IntArrayRef /*dilation*/, bool /*transposed*/,
                                at::IntArrayRef /*output_padding*/, std::int64_t /*groups*/) {
  const auto side = [&](std::size_t axis) {
    const auto dim = static_cast<std::int64_t>(axis) + 2;
    return (x.size(dim) + 2 * padding[axis] - weight.size(dim)) / stride[axis] + 1;
  };
  return at::empty({x.size(0), weight.size(0), side(0), side(1)}, x.options(), at::MemoryFormat::ChannelsLast);
}

at::Tensor shape_of_pool(const at::Tensor& x, at::IntArrayRef sides) {
  return at::empty({x.size(0), x.size(1), sides[0], sides[1]}, x.options(), at::MemoryFormat::ChannelsLast);
}

using Normed = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

Normed shape_of_group_norm(const at::Tensor& x, const std::optional<at::Tensor>& /*weight*/,
                           const std::optional<at::Tensor>& /*bias*/, std::int64_t /*images*/,
                           std::int64_t /*channels*/, std::int64_t /*pixels*/, std::int64_t /*groups*/,
                           double /*eps*/) {
  return {at::empty_like(x), {}, {}};
}

Normed shape_of_layer_norm(const at::Tensor& x, at::IntArrayRef /*axes*/, const std::optional<at::Tensor>& /*weight*/,
                           const std::optional<at::Tensor>& /*bias*/, double /*eps*/) {
  return {at::empty_like(x), {}, {}};
}

at::Tensor shape_of_softmax(const at::Tensor& x, std::int64_t /*axis*/, std::optional<at::ScalarType> /*dtype*/) {
  return at::empty_like(x);
}

TORCH_LIBRARY_IMPL(aten, Meta, library) {
  library.impl("_safe_softmax", shape_of_softmax);
  library.impl("native_group_norm", shape_of_group_norm);
  library.impl("native_layer_norm", shape_of_layer_norm);
  library.impl("_adaptive_avg_pool2d", shape_of_pool);
  library.impl("convolution_overrideable", shape_of_convolution);
}

/// While it lives, counts copies from one device to another and looks at single numbers, on this thread.
class Exchanges {
 public:
  Exchanges() {
    count_ = 0;
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(&Exchanges::see).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  }
  ~Exchanges() { at::removeCallback(handle_); }
  Exchanges(const Exchanges&) = delete;
  Exchanges& operator=(const Exchanges&) = delete;
  [[nodiscard]] int count() const { return count_; }

 private:
  static std::unique_ptr<at::ObserverContext> see(const at::RecordFunction& call) {
    const std::string name = call.name();
    if (name == "aten::_local_scalar_dense") ++count_;
    if (name == "aten::copy_" && call.inputs()[0].toTensor().device() != call.inputs()[1].toTensor().device()) ++count_;
    return nullptr;
  }
  static inline int count_ = 0;
  at::CallbackHandle handle_ = 0;
};

/// A device without numbers stands for a card: whoever reads from it, or sends it something, would wait for one.
TEST_F(ClipPredictorTest, AStepExchangesNothingWithTheDeviceThatComputes) {
  const at::TensorOptions device(at::kMeta);
  const models::UNet unet(testing::small_model_configs().unet, device);
  conditions_.empty_prompt = conditions_.empty_prompt.to(device);
  conditions_.image = conditions_.image.to(device);
  conditions_.reference_latent = conditions_.reference_latent.to(device);
  diffusion::SamplingObserver nobody;
  for (const diffusion::SamplerEntry& entry : diffusion::samplers()) {
    const diffusion::NoiseSchedule schedule;
    const auto sampler = diffusion::make_sampler(
        schedule, {.steps = 4, .timesteps = diffusion::TimestepList::parse("trailing"), .sampler = entry.name});
    diffusion::SamplingState state = diffusion::sampling_state(*sampler, x_.to(device), make_generator(1));
    state.clean = {at::zeros_like(state.x), at::zeros_like(state.x)};
    const diffusion::Trend difference{at::zeros_like(state.x), at::zeros_like(state.x)};
    family::UNetModel model(unet, conditions_, {4, kClip.height, kClip.width});
    ClipPredictor predictor(model, {.size = 4, .overlap = 1, .batch_size = 2}, {difference, true}, *group_, progress_);
    const diffusion::StepWork both{.unconditional = diffusion::PassWork::kFull, .guidance_scale = 2.5};
    const diffusion::StepWork one{.conditional = diffusion::PassWork::kReusing, .guidance_scale = 2.5};
    diffusion::run_sampler(
        *sampler, schedule,
        [&](const at::Tensor& x, const diffusion::Level& level, std::int64_t step, const diffusion::TakeOutput& take) {
          // In the first step the model is sent the windows' conditions.
          const Exchanges exchanges;
          predictor.predict(x, level.time, step == 1 ? one : both, take);
          if (step > 0) {
            EXPECT_EQ(exchanges.count(), 0) << entry.name << ", step " << step;
          }
        },
        state, nobody);
    EXPECT_EQ(predictor.calls_done, 3 * 4 + 2);
  }
}

}  // namespace
}  // namespace unianimate::pipeline
