#include "unianimate/naming/lora_names.h"

#include <gmock/gmock.h>

namespace unianimate::naming {
namespace {

using ::testing::HasSubstr;

const std::string kLayer = "input_blocks.1.1.transformer_blocks.0.attn1.to_q";
const std::string kOut = "input_blocks.1.1.transformer_blocks.0.attn1.to_out.0";
const LayerNames& layers() {
  static const LayerNames names({kLayer + ".weight", kOut + ".weight", "a_b.c.weight", "a.b_c.weight"});
  return names;
}

struct Case {
  std::string tensor;
  LoraPart part = LoraPart::kDown;
  std::string weight = kLayer + ".weight";
};

class LoraNames : public ::testing::TestWithParam<Case> {};

TEST_P(LoraNames, AreReadWhoeverWroteThem) {
  const std::optional<LoraName> name = parse_lora_name(GetParam().tensor);
  ASSERT_TRUE(name) << GetParam().tensor;
  EXPECT_EQ(name->part, GetParam().part);
  EXPECT_EQ(layers().find(*name), GetParam().weight);
}

const std::string kFlat = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q";
const std::string kProcessor = "input_blocks.1.1.transformer_blocks.0.attn1.processor.";

INSTANTIATE_TEST_SUITE_P(
    Programs, LoraNames,
    ::testing::Values(Case{kLayer + ".lora_down.weight"}, Case{kLayer + ".lora_up.weight", LoraPart::kUp},
                      Case{kLayer + ".alpha", LoraPart::kAlpha}, Case{kFlat + ".lora_down.weight"},
                      Case{kFlat + ".lora_up.weight", LoraPart::kUp}, Case{kFlat + ".alpha", LoraPart::kAlpha},
                      Case{"lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_out_0.lora_up.weight",
                           LoraPart::kUp, kOut + ".weight"},
                      Case{"lycoris_input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_down.weight"},
                      Case{"diffusion_model." + kLayer + ".lora_A.weight"},
                      Case{"model.diffusion_model." + kLayer + ".lora_B.weight", LoraPart::kUp},
                      Case{"unet." + kLayer + ".lora_A.weight"}, Case{"unet." + kLayer + ".lora.down.weight"},
                      Case{"unet." + kLayer + ".lora_linear_layer.up.weight", LoraPart::kUp},
                      Case{kLayer + "_lora.up.weight", LoraPart::kUp},
                      Case{"unet." + kProcessor + "to_q_lora.down.weight"},
                      Case{kProcessor + "to_out_lora.up.weight", LoraPart::kUp, kOut + ".weight"},
                      Case{"base_model.model." + kLayer + ".lora_A.weight"},
                      Case{"base_model.model." + kLayer + ".lora_B.default.weight", LoraPart::kUp},
                      Case{"base_model.model.unet." + kLayer + ".lora_A.my-style.weight"},
                      Case{"module._orig_mod." + kLayer + ".lora_A.weight"}));

TEST(LayerNames, FlattenedNamesAreLookedUpAndNeverSplit) {
  const auto find = [](const std::string& tensor) { return layers().find(parse_lora_name(tensor).value()); };
  EXPECT_EQ(find("lora_unet_a_b_c.lora_up.weight"), std::nullopt) << "two layers have this flattened name";
  EXPECT_EQ(find("a_b.c.lora_up.weight"), "a_b.c.weight");
  EXPECT_EQ(find("input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_up.weight"), std::nullopt);
  EXPECT_EQ(find("lora_unet_" + kLayer + ".lora_up.weight"), std::nullopt);
}

TEST(ForeignCorrections, AreNamed) {
  EXPECT_FALSE(parse_lora_name(kFlat + ".dora_scale"));
  EXPECT_FALSE(parse_lora_name("time_embed.0.weight"));
  EXPECT_FALSE(parse_lora_name(""));
  EXPECT_THAT(std::string(foreign_correction(kFlat + ".dora_scale")), HasSubstr("DoRA"));
  EXPECT_THAT(std::string(foreign_correction(kFlat + ".hada_w1_a")), HasSubstr("LoHa"));
  EXPECT_THAT(std::string(foreign_correction(kFlat + ".lokr_w1")), HasSubstr("LoKr"));
  EXPECT_THAT(std::string(foreign_correction("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight")),
              HasSubstr("text encoder"));
  EXPECT_THAT(std::string(foreign_correction("diffusion_model.time_embed.0.diff_b")), HasSubstr("difference"));
  EXPECT_EQ(foreign_correction("model.diffusion_model.x.lora_A.weight"), "");
}

}  // namespace
}  // namespace unianimate::naming
