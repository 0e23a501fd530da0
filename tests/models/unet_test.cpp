#include "unianimate/models/unet/unet.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>

#include "support/golden_file.h"
#include "support/quantization_count.h"
#include "support/rule.h"
#include "unianimate/core/error.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/autoencoder/cost.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/clip/cost.h"
#include "unianimate/models/unet/cost.h"
#include "unianimate/models/unet/transformer.h"

namespace unianimate::models {
namespace {

using testing::relative_error;
using testing::rule_input;

constexpr LatentShape kShape{2, 3, 16, 8};

UNetConfig small_config() {
  UNetConfig config;
  config.dim = 32;
  config.head_dim = 16;
  config.context_dim = 64;
  return config;
}

UNetConditions all_conditions(const LatentShape& shape) {
  UNetConditions conditions;
  conditions.image = rule_input("image", {shape.batch, 1, 64});
  conditions.dwpose = rule_input("dwpose", {shape.batch, 3, 1 + shape.frames, 8 * shape.height, 8 * shape.width}, 0, 1);
  conditions.randomref = rule_input("randomref", {shape.batch, 4, 1, shape.height, shape.width});
  return conditions;
}

class UNetTest : public ::testing::Test {
 protected:
  UNetTest() { testing::fill_by_rule(unet_.named_parameters()); }

  [[nodiscard]] at::Tensor predict(const at::Tensor& x, const at::Tensor& timesteps,
                                   const EncodedConditions& conditions) const {
    return unet_(x, timesteps, conditions);
  }

  UNet unet_{small_config(), at::TensorOptions()};
  at::Tensor empty_prompt_ = rule_input("zero_y", {1, 77, 64});
  at::Tensor x_ = rule_input("x", {kShape.batch, 4, kShape.frames, kShape.height, kShape.width});
};

TEST_F(UNetTest, ABatchIsItsClipsEachByItself) {
  const c10::InferenceMode inference;
  const UNetConditions both = all_conditions(kShape);
  const at::Tensor timesteps = at::tensor({991, 31}, at::kLong);
  const at::Tensor together = predict(x_, timesteps, unet_.encode(both, empty_prompt_, kShape));
  for (std::int64_t b = 0; b < kShape.batch; ++b) {
    const auto one = [&](const at::Tensor& x) { return x.narrow(0, b, 1); };
    const LatentShape alone{1, kShape.frames, kShape.height, kShape.width};
    const UNetConditions conditions{one(both.image), one(both.dwpose), one(both.randomref), {}};
    const at::Tensor v = predict(one(x_), one(timesteps), unet_.encode(conditions, empty_prompt_, alone));
    EXPECT_LE(relative_error(one(together), v), 4e-6) << b;
  }
}

TEST_F(UNetTest, WorksForASingleFrame) {
  const c10::InferenceMode inference;
  const LatentShape shape{1, 1, 8, 8};
  const at::Tensor v = predict(rule_input("x", {1, 4, 1, 8, 8}), at::tensor({500}, at::kLong),
                               unet_.encode(all_conditions(shape), empty_prompt_, shape));
  EXPECT_EQ(v.sizes(), (std::vector<std::int64_t>{1, 4, 1, 8, 8}));
  EXPECT_TRUE(at::isfinite(v).all().item<bool>());
}

TEST_F(UNetTest, WithoutARandomReferenceTheReferencePoseIsNotUsed) {
  const c10::InferenceMode inference;
  UNetConditions conditions = all_conditions(kShape);
  conditions.randomref = at::Tensor();
  const at::Tensor before = unet_.encode(conditions, empty_prompt_, kShape).reference;
  EXPECT_EQ(before.abs().max().item<float>(), 0.0F);
}

TEST_F(UNetTest, RefusesShapesThatDoNotFit) {
  const EncodedConditions conditions = unet_.encode({}, empty_prompt_, kShape);
  const at::Tensor timesteps = at::zeros({2}, at::kLong);
  EXPECT_THROW(predict(x_.narrow(2, 0, 2), timesteps, conditions), Error);
  EXPECT_THROW(predict(x_, timesteps.narrow(0, 0, 1), conditions), Error);
  EXPECT_THROW(unet_.encode({.image = at::zeros({1, 1, 63})}, empty_prompt_, kShape), Error);
  EXPECT_THROW(unet_.encode({}, at::zeros({1, 77, 32}), kShape), Error);
  const LatentShape odd{1, 1, 12, 8};
  EXPECT_THROW(predict(at::zeros({1, 4, 1, 12, 8}), at::zeros({1}, at::kLong), unet_.encode({}, empty_prompt_, odd)),
               Error);
}

TEST(UNetCost, CountsThePublishedSizes) {
  // The published count, 67.56 and 3.70 TFLOP, includes the condition stems, which are encoded only once here.
  EXPECT_NEAR(unet_operations({}, {1, 32, 96, 64}) / 1e12, 67.4, 0.1);
  EXPECT_NEAR(unet_operations({}, {1, 7, 48, 32}) / 1e12, 3.66, 0.02);
  EXPECT_DOUBLE_EQ(unet_operations({}, {2, 7, 48, 32}), 2 * unet_operations({}, {1, 7, 48, 32}));
}

TEST(UNetCost, LevelsAddUpToThePass) {
  constexpr LatentShape kClip{1, 7, 48, 32};
  const std::vector<double> of_level = unet_level_operations({}, kClip);
  ASSERT_EQ(of_level.size(), 4U);
  EXPECT_DOUBLE_EQ(of_level[0] + of_level[1] + of_level[2] + of_level[3], unet_operations({}, kClip));
  EXPECT_DOUBLE_EQ(unet_level_operations({}, kClip, 3)[3], 0) << "below the cut nothing is computed";
  // Without attention a block is seven convolutions of 9, 9 and four times 3 elements, at 4 × 6 pixels of 8 frames.
  EXPECT_DOUBLE_EQ(unet_block_operations({}, {1, 7, 6, 4}, 3), 2.0 * 8 * 24 * 1280 * 1280 * (9 + 9 + 4 * 3));
  EXPECT_DOUBLE_EQ(unet_residual_operations({}, {1, 7, 6, 4}, 3), unet_block_operations({}, {1, 7, 6, 4}, 3));
  EXPECT_LT(unet_residual_operations({}, kClip, 0), unet_block_operations({}, kClip, 0));
}

TEST(AutoencoderCost, CountsThePublishedSizes) {
  EXPECT_NEAR(decoder_operations(AutoencoderConfig(), 96, 64) / 1e12, 3.80, 0.01);
  const std::vector<double> of_level = encoder_level_operations({}, 96, 64);
  ASSERT_EQ(of_level.size(), 4U);
  // The outermost level: from colours to 128 channels, two blocks of two convolutions, and one that halves the sides.
  const double pixels = 768 * 512;
  EXPECT_DOUBLE_EQ(of_level[0], 2 * pixels * (3 * 128 * 9 + 4 * 128 * 128 * 9 + 128 * 128 * 9 / 4));
  EXPECT_DOUBLE_EQ(autoencoder_block_operations({}, 0, 768 * 512), 2 * pixels * 2 * 128 * 128 * 9);
  EXPECT_LT(encoder_operations({}, 96, 64), decoder_operations(AutoencoderConfig(), 96, 64))
      << "it has a block less at each level";
}

TEST(ClipCost, CountsThePublishedSizes) {
  // Known of ViT-H-14: 334 and 48 GFLOP for a picture and a text with all 24 blocks, a multiply-add counted as two.
  EXPECT_NEAR(clip_visual_operations({}) / 1e9, 334, 2);
  EXPECT_NEAR(clip_text_operations({}) / 1e9 * 24 / 23, 47, 1);
}

/// The derivative of f's projection along `direction` by a central difference against the one backward gives.
void expect_gradient(const std::function<at::Tensor()>& f, const at::Tensor& parameter, const std::string& name) {
  const at::Tensor direction = rule_input("direction." + name, parameter.sizes()).to(at::kDouble);
  parameter.set_requires_grad(true);
  parameter.mutable_grad().reset();
  f().backward();
  const auto found = (parameter.grad() * direction).sum().item<double>();
  parameter.set_requires_grad(false);
  constexpr double kStep = 1e-5;
  parameter.add_(direction, kStep);
  const auto above = f().item<double>();
  parameter.sub_(direction, 2 * kStep);
  const auto below = f().item<double>();
  parameter.add_(direction, kStep);
  const double expected = (above - below) / (2 * kStep);
  EXPECT_NEAR(found, expected, 1e-5 * std::max(1.0, std::abs(expected))) << name;
}

TEST(ModelGradients, FlowThroughTheUNetToInputsAndParameters) {
  UNetConfig config = small_config();
  config.dim_mult = {1, 2};
  config.num_res_blocks = 1;
  const at::TensorOptions options = at::TensorOptions().dtype(at::kDouble);
  const UNet unet(config, options);
  testing::fill_by_rule(unet.named_parameters());
  const LatentShape shape{1, 2, 4, 4};
  UNetConditions conditions = all_conditions(shape);
  conditions.local_image = rule_input("local_image", {1, 3, 2, 32, 32}, 0, 1);
  conditions.image = conditions.image.to(options);
  const at::Tensor empty_prompt = rule_input("zero_y", {1, 77, 64});
  at::Tensor x = rule_input("x", {1, 4, 2, 4, 4}).to(options);
  const auto loss = [&] {
    return unet(x, at::tensor({300}, at::kLong), unet.encode(conditions, empty_prompt, shape)).sin().sum();
  };
  expect_gradient(loss, x, "x");
  expect_gradient(loss, conditions.image, "image");
  // One parameter of every kind of layer; all of them would take minutes.
  const std::set<std::string> names{"time_embed.0.weight",
                                    "dwpose_embedding.0.weight",
                                    "dwpose_embedding_after.layers.0.0.fn.to_qkv.weight",
                                    "input_blocks.1.0.in_layers.0.weight",
                                    "input_blocks.1.0.temopral_conv.conv2.3.weight",
                                    "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
                                    "input_blocks.1.2.transformer_blocks.0.attn1.to_q.weight",
                                    "input_blocks.1.2.transformer_blocks.0.ff.net.0.proj.weight",
                                    "output_blocks.1.1.conv.weight"};
  std::size_t checked = 0;
  for (const auto& [name, tensor] : unet.named_parameters()) {
    if (!names.contains(name)) continue;
    expect_gradient(loss, tensor, name);
    ++checked;
  }
  EXPECT_EQ(checked, names.size());
}

TEST(ModelGradients, FlowThroughTheAutoencoder) {
  const at::TensorOptions options = at::TensorOptions().dtype(at::kDouble);
  const Autoencoder autoencoder({.ch = 8, .ch_mult = {1, 2}, .num_res_blocks = 1, .norm_groups = 4}, options);
  testing::fill_by_rule(autoencoder.named_parameters());
  at::Tensor picture = rule_input("picture", {1, 3, 8, 8}).to(options);
  at::Tensor latent = rule_input("latent", {1, 4, 4, 4}).to(options);
  expect_gradient([&] { return autoencoder.encode_moments(picture).sin().sum(); }, picture, "picture");
  expect_gradient([&] { return autoencoder.decode(latent).sin().sum(); }, latent, "latent");
}

TEST(ModelGradients, FlowThroughTheClipTower) {
  const at::TensorOptions options = at::TensorOptions().dtype(at::kDouble);
  const ClipConfig config{.embed_dim = 16,
                          .vision = {.width = 16, .layers = 2, .heads = 2, .image_size = 28, .patch_size = 14},
                          .text = {}};
  const ClipVisual visual(config, options);
  testing::fill_by_rule(visual.named_parameters());
  at::Tensor picture = rule_input("clip_picture", {1, 3, 28, 28}).to(options);
  expect_gradient([&] { return visual(picture).sin().sum(); }, picture, "clip_picture");
}

TEST(AttentionInInt8, ItsProjectionsShareWhatTheyAreMadeOf) {
  const c10::InferenceMode inference;
  constexpr std::int64_t kWidth = 64;
  const Attention attention(kWidth, kWidth, 16, at::TensorOptions());
  testing::fill_by_rule(attention.named_parameters());
  for (const nn::NamedProduct& layer : attention.named_products()) layer.product->use_int8();
  const at::Tensor x = rule_input("x", {1, 3, 8, kWidth});
  const testing::QuantizationCount count;
  (void)attention.within_frames(x);
  EXPECT_EQ(count.value(), 2) << "x, and what goes into the last layer";
  (void)attention.across_frames(x);
  EXPECT_EQ(count.value(), 4);
  (void)attention.project_context(x[0]);
  EXPECT_EQ(count.value(), 5);
}

}  // namespace
}  // namespace unianimate::models
