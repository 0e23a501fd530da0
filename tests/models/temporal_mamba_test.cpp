// UNets whose frames are mixed by Mambas.
#include <gtest/gtest.h>

#include <map>

#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/core/error.h"
#include "unianimate/models/int8_candidates.h"
#include "unianimate/models/unet/cost.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::models {
namespace {

using testing::relative_error;
using testing::rule_input;

UNetConfig mamba_config() {
  UNetConfig config;
  config.dim = 32;
  config.dim_mult = {1, 2};
  config.num_res_blocks = 1;
  config.head_dim = 16;
  config.context_dim = 64;
  config.temporal = TemporalKind::kMamba;
  config.d_state = 8;
  return config;
}

UNetConfig published_with_mamba() {
  UNetConfig config;
  config.temporal = TemporalKind::kMamba;
  return config;
}

void fill(const NamedTensors& parameters) {
  testing::fill_by_rule(parameters);
  // Steps of some length, so that states fade within a clip.
  for (const NamedTensor& parameter : parameters) {
    if (parameter.name.find("dt_proj") != std::string::npos) parameter.tensor.sub_(1);
  }
}

TEST(TemporalMamba, SizesAreToldByACheckpoint) {
  for (const auto& [d_state, expand] : std::map<std::int64_t, std::int64_t>{{16, 2}, {8, 3}}) {
    UNetConfig config = mamba_config();
    config.d_state = d_state;
    config.expand = expand;
    Shapes shapes;
    for (const auto& [name, tensor] : UNet(config, at::TensorOptions(at::kMeta)).named_parameters()) {
      shapes[name] = tensor.sizes().vec();
    }
    UNetConfig assumed;
    assumed.num_heads = config.num_heads;
    assumed.head_dim = config.head_dim;
    EXPECT_EQ(unet_config_from_shapes(shapes, assumed), config);
    shapes["input_blocks.0.1.transformer_blocks.0.mamba.A_log"] = {0, 0};
    EXPECT_THROW(unet_config_from_shapes(shapes, assumed), Error);
  }
  UNetConfig config = mamba_config();
  config.d_state = 257;
  EXPECT_THROW(config.check(), Error);
}

TEST(TemporalMamba, RatesOfDecayKeep32Bits) {
  const UNet unet(mamba_config(), at::TensorOptions(at::kMeta).dtype(at::kBFloat16));
  for (const auto& [name, tensor] : unet.named_parameters()) {
    const bool exact = name.ends_with("_log") || name.ends_with(".D") || name.ends_with(".D_b");
    EXPECT_EQ(tensor.scalar_type(), exact ? at::kFloat : at::kBFloat16) << name;
  }
  for (const nn::NamedProduct& layer : int8_candidates(unet)) {
    EXPECT_EQ(layer.name.find("dt_proj"), std::string::npos) << "what steers exponentials is not for 8 bits";
    EXPECT_EQ(layer.name.find("x_proj"), std::string::npos);
  }
}

TEST(TemporalMamba, CostsWhatItsLayersDo) {
  constexpr LatentShape kClip{1, 7, 12, 8};
  constexpr double kTokens = 8 * 12 * 8;
  const double width = 320;
  const double inner = 2 * width;
  const double attentions = 8 * width * width + 2 * 2 * 8 * width;  // two, over 8 frames
  const double mamba = 3 * width * inner + 2 * (4 * inner + inner * (20 + 32) + 20 * inner) + 2 * inner * 16 * 3.5;
  const double more = unet_block_operations(published_with_mamba(), kClip, 0) - unet_block_operations({}, kClip, 0);
  EXPECT_NEAR(more, 2 * kTokens * (mamba - attentions), 1);
  // Of all Mambas of the published sizes at 768x512, computed apart: 3.1 GB in 32 bits.
  EXPECT_NEAR(static_cast<double>(carried_state_bytes(published_with_mamba(), {1, 32, 96, 64}, 4)) / 1e9, 3.1, 0.05);
  EXPECT_EQ(carried_state_bytes({}, {1, 32, 96, 64}, 4), 0);
}

TEST(Mamba, ASequenceFromItsEndIsThatOfTheOtherDirectionsParameters) {
  const c10::InferenceMode inference;
  const Mamba mamba(24, 8, 2, Mamba::Directions::kBoth, at::TensorOptions(at::kDouble));
  const Mamba exchanged(24, 8, 2, Mamba::Directions::kBoth, at::TensorOptions(at::kDouble));
  fill(mamba.named_parameters());
  std::map<std::string, at::Tensor> by_name;
  for (const auto& [name, tensor] : mamba.named_parameters()) by_name[name] = tensor;
  const auto other = [](std::string name) {
    for (const auto& [one, two] : {std::pair{"conv1d_b.", "conv1d."},
                                   {"conv1d.", "conv1d_b."},
                                   {"x_proj_b.", "x_proj."},
                                   {"x_proj.", "x_proj_b."},
                                   {"dt_proj_b.", "dt_proj."},
                                   {"dt_proj.", "dt_proj_b."},
                                   {"A_b_log", "A_log"},
                                   {"A_log", "A_b_log"}}) {
      if (name.starts_with(one)) return name.replace(0, std::string(one).size(), two);
    }
    if (name == "D" || name == "D_b") return std::string(name == "D" ? "D_b" : "D");
    return name;
  };
  for (const auto& [name, tensor] : exchanged.named_parameters()) tensor.copy_(by_name.at(other(name)));
  const at::Tensor x = rule_input("x", {2, 11, 3, 24}).to(at::kDouble);
  EXPECT_LE(relative_error(exchanged(x.flip(1)).flip(1), mamba(x)), 1e-13);
  EXPECT_GT(relative_error(mamba(x.flip(1)).flip(1), mamba(x)), 0.01) << "it has a sense of order";
}

TEST(Mamba, PartsThatHandTheirStatesOverAreTheWholeSequence) {
  const c10::InferenceMode inference;
  const Mamba mamba(32, 16, 2, Mamba::Directions::kForward, at::TensorOptions());
  fill(mamba.named_parameters());
  // More pixels than pass at once; the first token is the reference, which every part has.
  const at::Tensor x = rule_input("x", {1, 1 + 12, 700, 32});
  const at::Tensor whole = mamba(x);
  MambaState state;
  for (const auto& [first, count] : {std::pair<std::int64_t, std::int64_t>{1, 5}, {6, 2}, {8, 5}}) {
    MambaHandover handover{state, first + count <= 12 ? count : 0, {}};
    const at::Tensor part = mamba(at::cat({x.narrow(1, 0, 1), x.narrow(1, first, count)}, 1), &handover);
    EXPECT_LE(relative_error(part.narrow(1, 1, count), whole.narrow(1, first, count)), 1e-6) << first;
    EXPECT_LE(relative_error(part.narrow(1, 0, 1), whole.narrow(1, 0, 1)), 1e-6);
    state = handover.kept;
  }
  EXPECT_FALSE(state.states.defined());
}

class MambaUNetTest : public ::testing::Test {
 protected:
  MambaUNetTest() { fill(unet_.named_parameters()); }

  [[nodiscard]] at::Tensor predict(const at::Tensor& x, CarriedStates* carried,
                                   DeepFeatures* features = nullptr) const {
    const LatentShape shape{1, x.size(2), x.size(3), x.size(4)};
    UNetConditions conditions;
    conditions.randomref = rule_input("randomref", {1, 4, 1, shape.height, shape.width});
    return unet_(x, at::tensor({500}, at::kLong), unet_.encode(conditions, rule_input("zero_y", {1, 77, 64}), shape),
                 features, carried);
  }

  c10::InferenceMode inference_;
  UNet unet_{mamba_config(), at::TensorOptions()};
  at::Tensor x_ = rule_input("x", {1, 4, 9, 4, 6});
};

TEST_F(MambaUNetTest, AWindowGoesOnFromTheStatesOfTheOneBefore) {
  const at::Tensor first = x_.narrow(2, 0, 5);
  const at::Tensor second = x_.narrow(2, 3, 5);
  CarriedStates carried{{}, 3};
  EXPECT_LE(relative_error(predict(first, &carried), predict(first, nullptr)), 1e-6) << "the clip begins with it";
  EXPECT_EQ(carried.blocks.size(), 5U) << "two blocks of the encoder, the middle, two of the decoder";
  const CarriedStates of_first = carried;
  carried.keep_after = 0;
  const at::Tensor v = predict(second, &carried);
  EXPECT_TRUE(carried.blocks.empty()) << "there is no next window";
  EXPECT_GT(relative_error(v, predict(second, nullptr)), 1e-4) << "what was before is seen";
  CarriedStates again{of_first.blocks, 2};
  EXPECT_TRUE(at::equal(predict(second, &again), v)) << "whatever is kept";
  EXPECT_EQ(again.blocks.size(), 5U);
}

TEST_F(MambaUNetTest, RefusesWhatHasNoStates) {
  CarriedStates carried;
  DeepFeatures features;
  EXPECT_THROW(predict(x_, &carried, &features), Error);
  carried.keep_after = 10;
  EXPECT_THROW(predict(x_, &carried), Error);
  UNetConfig config = mamba_config();
  config.temporal = TemporalKind::kTransformer;
  const UNet transformer(config, at::TensorOptions());
  testing::fill_by_rule(transformer.named_parameters());
  CarriedStates none;
  EXPECT_THROW(transformer(x_, at::tensor({500}, at::kLong),
                           transformer.encode({}, rule_input("zero_y", {1, 77, 64}), {1, 9, 4, 6}), nullptr, &none),
               Error);
}

}  // namespace
}  // namespace unianimate::models
