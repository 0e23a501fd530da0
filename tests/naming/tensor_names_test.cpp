// Single names of other programs.
#include <gtest/gtest.h>

#include "unianimate/naming/autoencoder_names.h"
#include "unianimate/naming/clip_names.h"
#include "unianimate/naming/name_pattern.h"

namespace unianimate::naming {
namespace {

using checkpoint::Placement;

TEST(NamePattern, NumbersArePutWhereTheRuleHasThem) {
  constexpr std::array<NameRule, 2> kRules{{{"a.#.b.#.", "x#y#."}, {"a.", "z."}}};
  EXPECT_EQ(apply_rules(kRules, "a.3.b.12.weight"), "x3y12.weight");
  EXPECT_EQ(apply_rules(kRules, "a.3.c.weight"), "z.3.c.weight");
  EXPECT_EQ(apply_rules(kRules, "a.03.b.1.weight"), "z.03.b.1.weight") << "no program writes leading zeros";
  EXPECT_EQ(apply_rules(kRules, "a.1234567.b.1.weight"), "z.1234567.b.1.weight");
  EXPECT_EQ(apply_rules(kRules, "b.1"), "b.1");
  EXPECT_EQ(apply_rules(kRules, ""), "");
}

TEST(AutoencoderNames, AreThoseOfDiffusers) {
  const auto name = [](std::string_view foreign) { return place_diffusers_autoencoder(foreign, 4).name; };
  EXPECT_EQ(name("encoder.conv_in.weight"), "encoder.conv_in.weight");
  EXPECT_EQ(name("encoder.down_blocks.1.resnets.0.conv_shortcut.bias"), "encoder.down.1.block.0.nin_shortcut.bias");
  EXPECT_EQ(name("encoder.down_blocks.2.downsamplers.0.conv.weight"), "encoder.down.2.downsample.conv.weight");
  EXPECT_EQ(name("decoder.up_blocks.0.resnets.2.norm1.weight"), "decoder.up.3.block.2.norm1.weight");
  EXPECT_EQ(name("decoder.up_blocks.2.upsamplers.0.conv.bias"), "decoder.up.1.upsample.conv.bias");
  EXPECT_EQ(name("decoder.mid_block.resnets.1.conv2.weight"), "decoder.mid.block_2.conv2.weight");
  EXPECT_EQ(name("encoder.mid_block.attentions.0.group_norm.weight"), "encoder.mid.attn_1.norm.weight");
  EXPECT_EQ(name("encoder.mid_block.attentions.0.to_out.0.bias"), "encoder.mid.attn_1.proj_out.bias");
  EXPECT_EQ(name("encoder.mid_block.attentions.0.proj_attn.bias"), "encoder.mid.attn_1.proj_out.bias");
  EXPECT_EQ(name("decoder.mid_block.attentions.0.key.weight"), "decoder.mid.attn_1.k.weight");
  EXPECT_EQ(name("decoder.conv_norm_out.weight"), "decoder.norm_out.weight");
  EXPECT_EQ(name("post_quant_conv.weight"), "post_quant_conv.weight");
  EXPECT_EQ(name("something.else"), "something.else");
  EXPECT_TRUE(place_diffusers_autoencoder("encoder.mid_block.attentions.0.to_q.weight", 4).pointwise);
}

TEST(ClipNames, AreThoseOfTransformers) {
  const auto whole = [](std::string_view name) { return Placement{.name = std::string(name)}; };
  const std::string layer = "vision_model.encoder.layers.7.";
  const std::string block = "visual.transformer.resblocks.7.";
  EXPECT_EQ(place_transformers_clip(layer + "self_attn.v_proj.bias"),
            (Placement{.name = block + "attn.in_proj_bias", .part = 2, .parts = 3}));
  EXPECT_EQ(place_transformers_clip("text_model.encoder.layers.0.self_attn.q_proj.weight"),
            (Placement{.name = "transformer.resblocks.0.attn.in_proj_weight", .part = 0, .parts = 3}));
  EXPECT_EQ(place_transformers_clip(layer + "self_attn.out_proj.weight"), whole(block + "attn.out_proj.weight"));
  EXPECT_EQ(place_transformers_clip(layer + "layer_norm2.bias"), whole(block + "ln_2.bias"));
  EXPECT_EQ(place_transformers_clip(layer + "mlp.fc1.weight"), whole(block + "mlp.c_fc.weight"));
  EXPECT_EQ(place_transformers_clip("vision_model.pre_layrnorm.weight"), whole("visual.ln_pre.weight"));
  EXPECT_EQ(place_transformers_clip("vision_model.post_layernorm.bias"), whole("visual.ln_post.bias"));
  EXPECT_EQ(place_transformers_clip("text_model.embeddings.position_embedding.weight"), whole("positional_embedding"));
  EXPECT_EQ(place_transformers_clip("text_model.final_layer_norm.weight"), whole("ln_final.weight"));
  EXPECT_EQ(place_transformers_clip("visual_projection.weight"),
            (Placement{.name = "visual.proj", .transposed = true}));
  EXPECT_EQ(place_transformers_clip("logit_scale"), whole("logit_scale"));
}

TEST(ClipNames, OfOpenClipMayHaveTextBeforeThem) {
  EXPECT_EQ(place_open_clip("text.transformer.resblocks.0.ln_1.bias").name, "transformer.resblocks.0.ln_1.bias");
  EXPECT_EQ(place_open_clip("text_projection").name, "text_projection");
  EXPECT_EQ(place_open_clip("visual.proj").name, "visual.proj");
}

}  // namespace
}  // namespace unianimate::naming
