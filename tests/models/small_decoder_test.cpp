#include "unianimate/models/autoencoder/small_decoder.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/core/error.h"
#include "unianimate/models/autoencoder/cost.h"

namespace unianimate::models {
namespace {

using testing::relative_error;
using testing::rule_input;

const SmallDecoderConfig kTiny{4, {8, 16, 24}};

std::map<std::string, at::Tensor> by_name(const SmallDecoder& decoder) {
  std::map<std::string, at::Tensor> named;
  for (const auto& [name, tensor] : decoder.named_parameters()) named[name] = tensor;
  return named;
}

/// Written from the definition, with channels second.
at::Tensor decode_by_definition(const SmallDecoder& decoder, const at::Tensor& latents) {
  const std::map<std::string, at::Tensor> weights = by_name(decoder);
  const auto conv = [&](const std::string& name, const at::Tensor& x) {
    return at::conv2d(x, weights.at(name + ".weight"), weights.at(name + ".bias"), 1, 1);
  };
  at::Tensor x = conv("conv_in", 3 * at::tanh(latents / 3)).relu();
  const std::vector<std::vector<std::string>> levels{
      {"up.2.block.0", "up.2.block.1"}, {"up.1.block.0", "up.1.block.1"}, {"up.0.block.0"}};
  for (const std::vector<std::string>& blocks : levels) {
    for (const std::string& block : blocks) {
      const at::Tensor branch = conv(block + ".conv3", conv(block + ".conv2", conv(block + ".conv1", x).relu()).relu());
      x = (x + branch).relu();
    }
    if (blocks.size() == 1) break;
    x = x.repeat_interleave(2, 2).repeat_interleave(2, 3);
    x = conv(blocks.front().substr(0, 5) + "upsample", x);
  }
  return conv("conv_out", x);
}

TEST(SmallDecoder, IsWhatItsDefinitionSays) {
  SmallDecoder decoder(kTiny, at::TensorOptions());
  testing::fill_by_rule(decoder.named_parameters());
  const at::Tensor latents = 4 * rule_input("latents", {2, 4, 5, 3});
  const c10::InferenceMode inference;
  const at::Tensor pictures = decoder.decode(latents);
  EXPECT_EQ(pictures.sizes(), (at::IntArrayRef{2, 3, 20, 12}));
  EXPECT_LT(relative_error(pictures, decode_by_definition(decoder, latents)), 1e-5);
}

TEST(SmallDecoder, AnyLatentIsPressedIntoItsReach) {
  SmallDecoder decoder(kTiny, at::TensorOptions());
  testing::fill_by_rule(decoder.named_parameters());
  const c10::InferenceMode inference;
  const at::Tensor latents = rule_input("latents", {1, 4, 4, 4}).sign();
  EXPECT_TRUE(at::equal(decoder.decode(1e3 * latents), decoder.decode(1e30 * latents)));
}

TEST(SmallDecoder, EveryParameterIsDifferentiated) {
  SmallDecoder decoder(kTiny, at::TensorOptions(at::kDouble));
  testing::fill_by_rule(decoder.named_parameters());
  for (const auto& [name, tensor] : decoder.named_parameters()) tensor.set_requires_grad(true);
  const at::Tensor latents = rule_input("latents", {1, 4, 4, 4});
  const auto loss = [&] { return decoder.decode(latents).square().mean(); };
  loss().backward();
  const c10::NoGradGuard no_gradients;
  constexpr double kStep = 1e-6;
  for (const auto& [name, tensor] : decoder.named_parameters()) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    at::Tensor first = tensor;
    at::Tensor slope = tensor.grad();
    for (; first.dim() > 0; slope = slope[0]) first = first[0];
    first += kStep;
    const auto above = loss().item<double>();
    first -= 2 * kStep;
    const auto below = loss().item<double>();
    first += kStep;
    const double expected = (above - below) / (2 * kStep);
    EXPECT_NEAR(slope.item<double>(), expected, 1e-4 * std::abs(expected) + 1e-8) << name;
  }
}

TEST(SmallDecoder, TakesATwentiethOfThePublishedDecodersOperations) {
  const AutoencoderConfig published;
  EXPECT_EQ(small_decoder_for(published), SmallDecoderConfig());
  constexpr std::int64_t kHeight = 96;
  constexpr std::int64_t kWidth = 64;
  EXPECT_LE(20 * decoder_operations(SmallDecoderConfig(), kHeight, kWidth),
            decoder_operations(published, kHeight, kWidth));
}

TEST(SmallDecoder, ItsOperationsAreThoseOfItsWeights) {
  const SmallDecoder decoder(kTiny, at::TensorOptions(at::kMeta));
  constexpr double kLatentPixels = 5 * 3;
  const auto pixels_at = [](const std::string& name) {
    if (name.starts_with("conv_in") || name.starts_with("up.2.block")) return kLatentPixels;
    if (name.starts_with("up.2.upsample") || name.starts_with("up.1.block")) return 4 * kLatentPixels;
    return 16 * kLatentPixels;
  };
  double expected = 0;
  for (const auto& [name, tensor] : decoder.named_parameters()) {
    if (name.ends_with(".weight")) expected += 2 * pixels_at(name) * static_cast<double>(tensor.numel());
  }
  EXPECT_DOUBLE_EQ(decoder_operations(kTiny, 5, 3), expected);
}

TEST(SmallDecoder, FitsTheAutoencoderThatItIsFor) {
  const AutoencoderConfig small{.ch = 16, .ch_mult = {1, 2, 4}, .z_channels = 6, .norm_groups = 4};
  const SmallDecoderConfig config = small_decoder_for(small);
  EXPECT_EQ(config, (SmallDecoderConfig{6, {16, 16, 16}}));
  EXPECT_EQ(config.upscale(), small.downscale());
  EXPECT_EQ(SmallDecoderConfig().upscale(), AutoencoderConfig().downscale());
}

TEST(SmallDecoder, ItsSizesFollowFromShapes) {
  Shapes shapes;
  for (const auto& [name, tensor] : SmallDecoder(kTiny, at::TensorOptions(at::kMeta)).named_parameters()) {
    shapes[name] = tensor.sizes().vec();
  }
  EXPECT_EQ(small_decoder_config_from_shapes(shapes), kTiny);
  EXPECT_THROW(small_decoder_config_from_shapes({}), Error);
  shapes.erase("conv_in.weight");
  EXPECT_THROW(small_decoder_config_from_shapes(shapes), Error);
}

TEST(SmallDecoder, NonsenseIsRefused) {
  const at::TensorOptions shapes_only(at::kMeta);
  EXPECT_THROW(SmallDecoder({4, {}}, shapes_only), Error);
  EXPECT_THROW(SmallDecoder({0, {8}}, shapes_only), Error);
  EXPECT_THROW(SmallDecoder({4, {8, 1 << 20}}, shapes_only), Error);
}

}  // namespace
}  // namespace unianimate::models
