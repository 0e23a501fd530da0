#include "unianimate/family/lora.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::family {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kQuery = "input_blocks.1.1.transformer_blocks.0.attn1.to_q";
const std::string kProjection = "middle_block.2.proj_in";

at::Tensor made(std::uint64_t seed, at::IntArrayRef shape) {
  return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed));
}

class LoraTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kOut = 6;
  static constexpr std::int64_t kIn = 5;
  static constexpr std::int64_t kRank = 2;

  fs::path file(const NamedTensors& tensors) {
    const fs::path path = folder_ / (std::to_string(count_++) + ".safetensors");
    checkpoint::save_safetensors(path, tensors);
    return path;
  }
  fs::path lora_of_query() { return file({{kQuery + ".lora_down.weight", down_}, {kQuery + ".lora_up.weight", up_}}); }

  /// What a stand-in for a UNet becomes.
  std::vector<at::Tensor> weights_with(const std::vector<LoraFile>& files, at::ScalarType type = at::kFloat) {
    const NamedTensors unet{{kQuery + ".weight", query_.to(type, false, true)},
                            {kProjection + ".weight", projection_.to(type, false, true)},
                            {"input_blocks.1.0.in_layers.2.weight", convolution_.to(type, false, true)}};
    add_loras(files, unet, false, {});
    return {unet[0].tensor, unet[1].tensor, unet[2].tensor};
  }

  std::string refusal(const std::vector<LoraFile>& files, at::ScalarType type = at::kFloat) {
    try {
      weights_with(files, type);
    } catch (const Error& error) {
      return error.what();
    }
    return "not refused";
  }
  std::string refusal_of(const NamedTensors& tensors) { return refusal({{file(tensors)}}); }

  testing::TemporaryFolder folder_;
  int count_ = 0;
  at::Tensor query_ = made(1, {kOut, kIn});
  at::Tensor projection_ = made(2, {kOut, kIn, 1});
  at::Tensor convolution_ = made(3, {kOut, kIn, 3, 3});
  at::Tensor down_ = made(4, {kRank, kIn});
  at::Tensor up_ = made(5, {kOut, kRank});
};

TEST_F(LoraTest, IsTheProductAddedByHand) {
  const std::vector<at::Tensor> weights = weights_with({{file({{kQuery + ".lora_down.weight", down_},
                                                               {kQuery + ".lora_up.weight", up_},
                                                               {kQuery + ".alpha", at::scalar_tensor(3.0)},
                                                               {kProjection + ".lora_down.weight", down_.unsqueeze(2)},
                                                               {kProjection + ".lora_up.weight", up_.unsqueeze(2)}}),
                                                         0.5}});
  EXPECT_TRUE(at::allclose(weights[0], query_ + 0.5 * 3.0 / kRank * at::matmul(up_, down_)));
  EXPECT_TRUE(at::allclose(weights[1], projection_ + 0.5 * at::matmul(up_, down_).unsqueeze(2)));
  EXPECT_TRUE(at::equal(weights[2], convolution_));
}

TEST_F(LoraTest, PeftsSpellingIsTheSame) {
  const fs::path peft = file({{"base_model.model." + kQuery + ".lora_A.weight", down_},
                              {"base_model.model." + kQuery + ".lora_B.weight", up_}});
  EXPECT_TRUE(at::equal(weights_with({{peft}})[0], weights_with({{lora_of_query()}})[0]));
}

TEST_F(LoraTest, EveryProgramsSpellingIsTheSame) {
  const at::Tensor expected = weights_with({{lora_of_query()}})[0];
  std::string flat = "lora_unet_" + kQuery;
  std::ranges::replace(flat, '.', '_');
  const std::string processor = "unet.input_blocks.1.1.transformer_blocks.0.attn1.processor.to_q_lora";
  using Names = std::pair<std::string, std::string>;
  for (const auto& [down, up] :
       {Names{flat + ".lora_down.weight", flat + ".lora_up.weight"},
        Names{"diffusion_model." + kQuery + ".lora_A.weight", "diffusion_model." + kQuery + ".lora_B.weight"},
        Names{processor + ".down.weight", processor + ".up.weight"},
        Names{"unet." + kQuery + ".lora.down.weight", "unet." + kQuery + ".lora.up.weight"},
        Names{"base_model.model." + kQuery + ".lora_A.default.weight",
              "base_model.model." + kQuery + ".lora_B.default.weight"}}) {
    EXPECT_TRUE(at::equal(weights_with({{file({{down, down_}, {up, up_}})}})[0], expected)) << down;
  }
  const fs::path kohya = file({{flat + ".lora_down.weight", down_},
                               {flat + ".lora_up.weight", up_},
                               {flat + ".alpha", at::scalar_tensor(1.0)}});
  EXPECT_TRUE(at::allclose(weights_with({{kohya}})[0], query_ + 1.0 / kRank * at::matmul(up_, down_)));
}

TEST_F(LoraTest, PeftsConfigurationTellsAlpha) {
  const std::string name = "base_model.model." + kQuery;
  const fs::path lora = folder_ / "adapter_model.safetensors";
  checkpoint::save_safetensors(lora, {{name + ".lora_A.weight", down_}, {name + ".lora_B.weight", up_}});
  const auto with_config = [&](const std::string& text) {
    write_file_atomically(folder_ / "adapter_config.json", text);
    return refusal({{lora}});
  };
  EXPECT_EQ(with_config(R"({"peft_type": "LORA", "r": 2, "lora_alpha": 5, "rank_pattern": {}})"), "not refused");
  EXPECT_TRUE(at::allclose(weights_with({{lora}})[0], query_ + 2.5 * at::matmul(up_, down_)));
  EXPECT_EQ(with_config(R"({"r": 2, "lora_alpha": 5, "use_rslora": true})"), "not refused");
  EXPECT_TRUE(at::allclose(weights_with({{lora}})[0], query_ + 5 / std::sqrt(2.0) * at::matmul(up_, down_)));
  EXPECT_THAT(with_config(R"({"r": 3, "lora_alpha": 5})"), HasSubstr("adapter_config.json beside it says 3"));
  EXPECT_THAT(with_config(R"({"r": 2, "lora_alpha": 5, "use_dora": true})"), HasSubstr("use_dora"));
  EXPECT_THAT(with_config(R"({"r": 2, "lora_alpha": 5, "alpha_pattern": {"to_q": 3}})"), HasSubstr("alpha_pattern"));
  EXPECT_EQ(with_config(R"({"r": 2, "lora_alpha": 5, "init_lora_weights": "gaussian"})"), "not refused");
  EXPECT_THAT(with_config(R"({"r": 2, "lora_alpha": 5, "init_lora_weights": "pissa_niter_4"})"),
              HasSubstr("'init_lora_weights' should be true, false"));
  EXPECT_THAT(with_config(R"({"r": 2, "r": 2, "lora_alpha": 5})"), HasSubstr("names 'r' twice"));
  EXPECT_THAT(with_config(R"({"r": 1e99, "lora_alpha": 5})"), HasSubstr("'r' should be"));
  EXPECT_THAT(with_config(R"({"r": 2})"), HasSubstr("'lora_alpha' should be"));
  EXPECT_THAT(with_config("{"), HasSubstr("not valid JSON"));
}

TEST_F(LoraTest, DiffusersMetadataTellAlpha) {
  const std::string name = "unet." + kQuery;
  const fs::path lora = folder_ / "adapter_model.safetensors";
  const auto with_metadata = [&](const checkpoint::Metadata& metadata, const NamedTensors& more = {}) {
    NamedTensors tensors{{name + ".lora_A.weight", down_}, {name + ".lora_B.weight", up_}};
    tensors.insert(tensors.end(), more.begin(), more.end());
    checkpoint::save_safetensors(lora, tensors, metadata);
  };
  const auto refusal_with = [&](const std::string& text) {
    with_metadata({{"lora_adapter_metadata", text}});
    return refusal({{lora}});
  };
  const auto times = [&](double strength) {
    return at::allclose(weights_with({{lora}})[0], query_ + strength * at::matmul(up_, down_));
  };
  const char* const of_pipeline =
      R"({"unet.r": 2, "unet.lora_alpha": 5, "unet.rank_pattern": {}, "text_encoder.r": 9})";
  with_metadata({{"format", "pt"}, {"lora_adapter_metadata", of_pipeline}});
  EXPECT_TRUE(times(2.5));
  const NamedTensors unet{{kQuery + ".weight", query_}};
  EXPECT_THAT(check_loras({{lora}}, unet, false).front(),
              HasSubstr("times 2.5 by lora_adapter_metadata in its metadata (alpha 5)"));
  with_metadata({{"lora_adapter_metadata", R"({"r": 2, "lora_alpha": 3, "use_rslora": true})"}});
  EXPECT_TRUE(times(3 / std::sqrt(2.0))) << "one model saved by itself";
  with_metadata({{"lora_adapter_metadata", of_pipeline}}, {{name + ".alpha", at::scalar_tensor(3.0)}});
  EXPECT_TRUE(times(1.5)) << "a tensor says it of its own layer";
  with_metadata({{"lora_adapter_metadata", R"({"text_encoder.r": 9, "text_encoder.lora_alpha": 1})"}});
  EXPECT_TRUE(times(1)) << "nothing is said of the UNet";
  with_metadata({{"ss_network_alpha", "1"}, {"ss_network_dim", "2"}});
  EXPECT_TRUE(times(1)) << "kohya's converters multiply it into the weights and leave the text";

  EXPECT_THAT(refusal_with(R"({"unet.r": 3, "unet.lora_alpha": 5})"),
              HasSubstr("has the rank 2, but lora_adapter_metadata in its metadata says 3"));
  EXPECT_THAT(refusal_with(R"({"unet.r": 2, "unet.lora_alpha": "5"})"),
              AllOf(HasSubstr("lora_adapter_metadata of"), HasSubstr("'lora_alpha' should be a number")));
  EXPECT_THAT(refusal_with(R"({"unet.r": 2, "unet.lora_alpha": 5, "unet.use_dora": true})"), HasSubstr("use_dora"));
  EXPECT_THAT(refusal_with("[2]"), HasSubstr("should hold an object"));
  EXPECT_THAT(refusal_with("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal_with(std::string(1000, '[')), HasSubstr("lora_adapter_metadata"));

  with_metadata({{"lora_adapter_metadata", of_pipeline}});
  write_file_atomically(folder_ / "adapter_config.json", R"({"r": 2, "lora_alpha": 4})");
  EXPECT_THAT(refusal({{lora}}),
              HasSubstr("multiplies by 2.5, but the adapter_config.json beside it says rank 2 and 2"));
  write_file_atomically(folder_ / "adapter_config.json", R"({"r": 2, "lora_alpha": 5})");
  EXPECT_TRUE(times(2.5));
}

TEST_F(LoraTest, OtherKindsOfCorrectionsAreNamed) {
  const std::string down = kQuery + ".lora_down.weight";
  const std::string up = kQuery + ".lora_up.weight";
  EXPECT_THAT(refusal_of({{down, down_}, {up, up_}, {kQuery + ".dora_scale", at::ones({kOut, 1})}}), HasSubstr("DoRA"));
  EXPECT_THAT(refusal_of({{kQuery + ".hada_w1_a", down_}}), HasSubstr("LoHa"));
  const std::string text = "lora_te_text_model_encoder_layers_0_self_attn_q_proj";
  EXPECT_THAT(refusal_of({{text + ".lora_down.weight", down_}, {text + ".lora_up.weight", up_}}),
              HasSubstr("text encoder"));
}

TEST_F(LoraTest, ScaleZeroChangesNothingAndTwoAddUp) {
  const fs::path path = lora_of_query();
  EXPECT_TRUE(at::equal(weights_with({{path, 0}})[0], query_));
  EXPECT_TRUE(at::allclose(weights_with({{path, 0.25}, {path, 0.5}})[0], weights_with({{path, 0.75}})[0]));
  EXPECT_TRUE(at::allclose(weights_with({{path, 1}, {path, -1}})[0], query_, 1e-5, 1e-6));
}

TEST_F(LoraTest, ShortWeightsAreRoundedOnce) {
  const fs::path path = lora_of_query();
  const at::Tensor exact = query_.to(at::kBFloat16).to(at::kFloat) + 2 * at::matmul(up_, down_);
  EXPECT_TRUE(at::equal(weights_with({{path, 1}, {path, 1}}, at::kBFloat16)[0], exact.to(at::kBFloat16)));
}

TEST_F(LoraTest, FullRankCanSayAnyChange) {
  const at::Tensor change = made(6, {kOut, kIn});
  const fs::path path =
      file({{kQuery + ".lora_down.weight", change}, {kQuery + ".lora_up.weight", at::eye(kOut, at::kFloat)}});
  EXPECT_TRUE(at::allclose(weights_with({{path}})[0], query_ + change));
}

TEST_F(LoraTest, ForeignFilesAreRefused) {
  EXPECT_THAT(refusal({{folder_ / "none.safetensors"}}), HasSubstr("none.safetensors"));
  std::ofstream(folder_ / "text.safetensors") << "no LoRA";
  EXPECT_THAT(refusal({{folder_ / "text.safetensors"}}), HasSubstr("text.safetensors"));
  EXPECT_THAT(refusal_of({}), HasSubstr("no tensors"));
  EXPECT_THAT(refusal_of({{"time_embed.0.weight", query_}}), HasSubstr("'time_embed.0.weight' is no part of a LoRA"));
  const std::string foreign = "lora_unet_down_blocks_0_attentions_0_proj_in";
  EXPECT_THAT(refusal_of({{foreign + ".lora_down.weight", down_}, {foreign + ".lora_up.weight", up_}}),
              HasSubstr("which is no attention, feed-forward or projection matrix of this UNet"));
  const std::string convolution = "input_blocks.1.0.in_layers.2";
  EXPECT_THAT(refusal_of({{convolution + ".lora_down.weight", down_}, {convolution + ".lora_up.weight", up_}}),
              HasSubstr("'input_blocks.1.0.in_layers.2'"));
}

TEST_F(LoraTest, WrongPartsAreNamed) {
  const std::string down = kQuery + ".lora_down.weight";
  const std::string up = kQuery + ".lora_up.weight";
  EXPECT_THAT(refusal_of({{down, down_}}), AllOf(HasSubstr(kQuery), HasSubstr("lacks its lora_up part")));
  EXPECT_THAT(refusal_of({{up, up_}}), HasSubstr("lacks its lora_down part"));
  EXPECT_THAT(refusal_of({{down, down_.t().contiguous()}, {up, up_}}),
              AllOf(HasSubstr(down), HasSubstr("should have the shape [5, 5] for this model, but has [5, 2]")));
  EXPECT_THAT(refusal_of({{down, down_}, {up, made(7, {kOut, 3})}}),
              HasSubstr("should have the shape [6, 2] for this model, but has [6, 3]"));
  EXPECT_THAT(refusal_of({{down, at::empty({0, kIn})}, {up, at::empty({kOut, 0})}}), HasSubstr("rank"));
  EXPECT_THAT(refusal_of({{down, at::zeros({})}, {up, up_}}), HasSubstr("rank"));
  EXPECT_THAT(refusal_of({{down, down_.to(at::kInt)}, {up, up_}}), HasSubstr("floating-point"));
  EXPECT_THAT(refusal_of({{down, down_}, {up, up_}, {kQuery + ".alpha", at::ones({2})}}), HasSubstr("one number"));
  EXPECT_THAT(refusal_of({{down, down_}, {kQuery + ".lora_A.weight", down_}, {up, up_}}), HasSubstr("the same part"));
}

TEST_F(LoraTest, ValuesThatAreNotFiniteAreRefused) {
  const at::Tensor broken = down_.clone();
  broken[1][3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refusal_of({{kQuery + ".lora_down.weight", broken}, {kQuery + ".lora_up.weight", up_}}),
              AllOf(HasSubstr("lora_down.weight"), HasSubstr("1 value of 10 that is not finite")));
  const NamedTensors unet{{kQuery + ".weight", query_.clone()}};
  add_loras({{file({{kQuery + ".lora_down.weight", broken}, {kQuery + ".lora_up.weight", up_}})}}, unet, true, {});
  EXPECT_FALSE(at::isfinite(unet[0].tensor).all().item<bool>()) << "as it was allowed";
  EXPECT_THAT(refusal({{lora_of_query(), std::numeric_limits<double>::infinity()}}), HasSubstr("scale"));
  EXPECT_THAT(refusal({{lora_of_query(), 1e7}}, at::kHalf), HasSubstr("beyond what fp16 can hold"));
}

TEST(TakesLora, AreTheMatricesOfTheTransformers) {
  std::map<std::string, int> counts;
  const models::UNet unet(testing::small_model_configs().unet, at::TensorOptions(at::kMeta));
  int temporal_or_spatial = 0;
  for (const auto& [name, tensor] : unet.named_parameters()) {
    if (name.ends_with(".proj_in.weight")) ++temporal_or_spatial;
    if (!takes_lora(name)) continue;
    EXPECT_EQ(tensor.numel(), tensor.size(0) * tensor.size(1)) << name;
    ++counts[name.substr(name.rfind('.', name.size() - std::string(".weight").size() - 1))];
  }
  EXPECT_EQ(counts[".proj_in.weight"], temporal_or_spatial);
  EXPECT_EQ(counts[".proj_out.weight"], temporal_or_spatial);
  for (const char* matrix : {".to_q.weight", ".to_k.weight", ".to_v.weight", ".0.weight"})
    EXPECT_EQ(counts[matrix], 2 * temporal_or_spatial) << matrix;
  for (const char* matrix : {".proj.weight", ".2.weight"}) EXPECT_EQ(counts[matrix], temporal_or_spatial) << matrix;
  EXPECT_EQ(counts.size(), 8U);
  EXPECT_FALSE(takes_lora("local_image_embedding_after.0.layers.0.0.fn.to_out.0.weight"));
  EXPECT_FALSE(takes_lora("middle_block.1.proj_in.bias"));
}

TEST(CheckLoras, ComparesWithSizesAlone) {
  const auto shapes_of_unet = [](const models::UNetConfig& sizes) {
    return models::UNet(sizes, at::TensorOptions(at::kMeta)).named_parameters();
  };
  const models::UNetConfig config = testing::small_model_configs().unet;
  const NamedTensors shapes = shapes_of_unet(config);
  EXPECT_TRUE(check_loras({}, shapes, false).empty());
  const std::int64_t width = config.dim * config.dim_mult.back();
  const testing::TemporaryFolder folder;
  const fs::path path = folder / "style.safetensors";
  const std::string weight = "middle_block.1.proj_out";
  checkpoint::save_safetensors(
      path, {{weight + ".lora_down.weight", at::ones({4, width})}, {weight + ".lora_up.weight", at::ones({width, 4})}});
  const std::vector<std::string> notes = check_loras({{path, 0.5}}, shapes, false);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], AllOf(HasSubstr("style.safetensors corrects 1 weights with rank 4 at scale 0.5"),
                              Not(HasSubstr("no alpha"))));
  checkpoint::save_safetensors(
      path, {{weight + ".lora_A.weight", at::ones({4, width})}, {weight + ".lora_B.weight", at::ones({width, 4})}});
  EXPECT_THAT(check_loras({{path, 0.5}}, shapes, false).at(0), HasSubstr("it has no alpha"));
  models::UNetConfig wide = config;
  wide.dim *= 2;
  EXPECT_THROW(check_loras({{path, 0.5}}, shapes_of_unet(wide), false), Error);
}

}  // namespace
}  // namespace unianimate::family
