// The same weights as other programs save them make the same models; and where they lie is found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "support/checkpoint_tensors.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/family/unianimate/model_weights.h"

namespace unianimate::family {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Notes : public Progress {
 public:
  void note(const std::string& message) override { all.push_back(message); }
  std::vector<std::string> all;
};

NamedTensors renamed(NamedTensors tensors, const std::function<void(NamedTensor&)>& rename) {
  for (NamedTensor& tensor : tensors) rename(tensor);
  return tensors;
}

NamedTensors with_prefix(const std::string& prefix, const NamedTensors& tensors) {
  return renamed(tensors, [&](NamedTensor& tensor) { tensor.name = prefix + tensor.name; });
}

bool replace_once(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) return false;
  text.replace(at, from.size(), to);
  return true;
}

/// As diffusers saves the autoencoder of four levels.
void name_as_diffusers(NamedTensor& tensor, bool newer) {
  std::string& name = tensor.name;
  replace_once(name, "first_stage_model.", "");
  replace_once(name, "nin_shortcut", "conv_shortcut");
  replace_once(name, "norm_out", "conv_norm_out");
  replace_once(name, "mid.block_1.", "mid_block.resnets.0.");
  replace_once(name, "mid.block_2.", "mid_block.resnets.1.");
  replace_once(name, ".block.", ".resnets.");
  replace_once(name, "downsample.conv", "downsamplers.0.conv");
  replace_once(name, "upsample.conv", "upsamplers.0.conv");
  replace_once(name, "encoder.down.", "encoder.down_blocks.");
  for (int level = 0; level < 4; ++level) {
    if (replace_once(name, fmt::format("decoder.up.{}.", level), fmt::format("decoder.up_blocks.{}.", 3 - level)))
      break;
  }
  if (!replace_once(name, "mid.attn_1.", "mid_block.attentions.0.")) return;
  replace_once(name, ".norm.", ".group_norm.");
  replace_once(name, ".q.", newer ? ".to_q." : ".query.");
  replace_once(name, ".k.", newer ? ".to_k." : ".key.");
  replace_once(name, ".v.", newer ? ".to_v." : ".value.");
  replace_once(name, ".proj_out.", newer ? ".to_out.0." : ".proj_attn.");
  if (tensor.tensor.dim() == 4) tensor.tensor = tensor.tensor.flatten(1);
}

/// As transformers saves CLIP.
NamedTensors as_transformers(const NamedTensors& tensors) {
  NamedTensors saved;
  for (auto [name, tensor] : tensors) {
    const bool visual = replace_once(name, "visual.", "");
    const std::string tower = visual ? "vision_model." : "text_model.";
    if (name == "proj" || name == "text_projection") {
      saved.push_back({visual ? "visual_projection.weight" : "text_projection.weight", tensor.t().contiguous()});
      continue;
    }
    if (name == "logit_scale") {
      saved.push_back({name, tensor});
      continue;
    }
    replace_once(name, "transformer.resblocks.", "encoder.layers.");
    replace_once(name, "ln_1.", "layer_norm1.");
    replace_once(name, "ln_2.", "layer_norm2.");
    replace_once(name, "mlp.c_fc", "mlp.fc1");
    replace_once(name, "mlp.c_proj", "mlp.fc2");
    replace_once(name, "attn.out_proj", "self_attn.out_proj");
    replace_once(name, "token_embedding", "embeddings.token_embedding");
    if (name == "positional_embedding") name = "embeddings.position_embedding.weight";
    if (name == "class_embedding") name = "embeddings.class_embedding";
    replace_once(name, "conv1.", "embeddings.patch_embedding.");
    replace_once(name, "ln_pre.", "pre_layrnorm.");
    replace_once(name, "ln_post.", "post_layernorm.");
    replace_once(name, "ln_final.", "final_layer_norm.");
    const std::size_t attention = name.find("attn.in_proj_");
    if (attention == std::string::npos) {
      saved.push_back({tower + name, tensor});
      continue;
    }
    const std::string layer = tower + name.substr(0, attention) + "self_attn.";
    const std::string kind = name.substr(attention + std::string("attn.in_proj_").size());
    const std::vector<at::Tensor> parts = tensor.chunk(3);
    for (int i = 0; i < 3; ++i) {
      saved.push_back(
          {fmt::format("{}{}_proj.{}", layer, "qkv"[i], kind), parts[static_cast<std::size_t>(i)].contiguous()});
    }
  }
  saved.push_back({"text_model.embeddings.position_ids", at::arange(77).unsqueeze(0)});
  return saved;
}

class ForeignModels : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    testing::write_rule_models(folder_->path(), testing::small_model_configs());
    files_ = find_model_files(folder_->path());
  }
  static void TearDownTestSuite() { folder_.reset(); }

  /// What read_model_configs() notes with `tensors` as the file of that member, which must then make the same models.
  std::vector<std::string> notes_with(fs::path ModelFiles::*member, const NamedTensors& tensors) {
    ModelFiles files = files_;
    files.*member = other_ / "other.safetensors";
    checkpoint::save_safetensors(files.*member, tensors);
    const ModelConfigs configs = read_model_configs(files);
    const ModelConfigs expected = testing::small_model_configs();
    EXPECT_EQ(configs.unet, expected.unet);
    EXPECT_EQ(configs.autoencoder, expected.autoencoder);
    EXPECT_EQ(configs.clip, expected.clip);
    expect_same_weights(files, configs);
    return configs.notes;
  }

  static void expect_same_weights(const ModelFiles& files, const ModelConfigs& configs) {
    Progress silent;
    const auto compare = [&](const auto& load, const fs::path& a, const fs::path& b, const auto& config) {
      if (a == b) return;
      const NamedTensors one = load(a, config, WeightOptions{}, silent)->named_parameters();
      const NamedTensors other = load(b, config, WeightOptions{}, silent)->named_parameters();
      ASSERT_EQ(one.size(), other.size());
      for (std::size_t i = 0; i < one.size(); ++i)
        EXPECT_TRUE(at::equal(one[i].tensor, other[i].tensor)) << one[i].name;
    };
    compare(load_unet, files_.unet, files.unet, configs.unet);
    compare(load_autoencoder, files_.autoencoder, files.autoencoder, configs.autoencoder);
    compare(load_clip_visual, files_.clip, files.clip, configs.clip);
    compare(load_clip_text, files_.clip, files.clip, configs.clip);
  }

  static std::unique_ptr<testing::TemporaryFolder> folder_;
  static ModelFiles files_;
  testing::TemporaryFolder other_;
};

std::unique_ptr<testing::TemporaryFolder> ForeignModels::folder_;
ModelFiles ForeignModels::files_;

TEST_F(ForeignModels, PrefixesMakeTheSameUNet) {
  EXPECT_THAT(read_model_configs(files_).notes, IsEmpty()) << "files as published need no word";
  const NamedTensors unet = testing::tensors_of(files_.unet);
  for (const std::string prefix : {"module.", "_orig_mod.", "model.diffusion_model.", "module._orig_mod."}) {
    EXPECT_THAT(notes_with(&ModelFiles::unet, with_prefix(prefix, unet)),
                ElementsAre(HasSubstr("the names begin with '" + prefix + "'")));
  }
  NamedTensors both = unet;
  for (const auto& [name, tensor] : unet) both.push_back({"ema." + name, tensor + 1});
  EXPECT_THAT(notes_with(&ModelFiles::unet, both), ElementsAre(HasSubstr("under 'ema.', which is not used")));
}

TEST_F(ForeignModels, AutoencodersOfDiffusersAndWithCompanyAreTheSame) {
  const NamedTensors published = testing::tensors_of(files_.autoencoder);
  NamedTensors alone = renamed(published, [](NamedTensor& t) { replace_once(t.name, "first_stage_model.", ""); });
  alone.push_back({"loss.logvar", at::zeros({})});
  alone.push_back({"model_ema.num_updates", at::ones({}, at::kInt)});
  EXPECT_THAT(notes_with(&ModelFiles::autoencoder, alone), ElementsAre(HasSubstr("2 other tensors are not used")));
  for (const bool newer : {true, false}) {
    const NamedTensors saved = renamed(published, [&](NamedTensor& tensor) { name_as_diffusers(tensor, newer); });
    EXPECT_THAT(notes_with(&ModelFiles::autoencoder, saved), ElementsAre(HasSubstr("those of diffusers")));
    EXPECT_THAT(notes_with(&ModelFiles::autoencoder, with_prefix("vae.", saved)),
                ElementsAre(HasSubstr("begin with 'vae.'")));
  }
}

TEST_F(ForeignModels, ClipsOfTransformersAndOfOpenClipsTrainingAreTheSame) {
  const NamedTensors published = testing::tensors_of(files_.clip);
  EXPECT_THAT(notes_with(&ModelFiles::clip, with_prefix("module.", published)),
              ElementsAre(HasSubstr("begin with 'module.'")));
  EXPECT_THAT(notes_with(&ModelFiles::clip, as_transformers(published)),
              ElementsAre(HasSubstr("those of transformers")));
  notes_with(&ModelFiles::clip, renamed(published, [](NamedTensor& tensor) {
    if (!tensor.name.starts_with("visual.") && tensor.name != "logit_scale") tensor.name.insert(0, "text.");
  }));
}

TEST_F(ForeignModels, WhatIsMissingIsStillNamed) {
  NamedTensors saved = as_transformers(testing::tensors_of(files_.clip));
  std::erase_if(saved,
                [](const NamedTensor& t) { return t.name == "vision_model.encoder.layers.1.self_attn.k_proj.bias"; });
  ModelFiles files = files_;
  files.clip = other_ / "clip.safetensors";
  checkpoint::save_safetensors(files.clip, saved);
  try {
    read_model_configs(files);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("1 missing (transformer.resblocks.1.attn.in_proj_bias)"));
  }
}

TEST_F(ForeignModels, WeightsThatAreNotFiniteAreRefusedUnlessAllowed) {
  NamedTensors unet = testing::tensors_of(files_.unet);
  unet[3].tensor.flatten()[2] = std::numeric_limits<float>::quiet_NaN();
  unet[5].tensor.flatten()[0] = 1e30F;
  const fs::path file = other_ / "unet.safetensors";
  checkpoint::save_safetensors(file, unet);
  const models::UNetConfig config = testing::small_model_configs().unet;
  Notes progress;
  try {
    load_unet(file, config, {}, progress);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr(fmt::format("'{}' holds 1 value of {} that is not finite", unet[3].name,
                                                    unet[3].tensor.numel())));
  }
  load_unet(file, config, {at::TensorOptions(at::kHalf), true}, progress);
  EXPECT_THAT(progress.all, ElementsAre(HasSubstr("and so does another tensor; they are used as they are")));
}

/// Where the files of a folder are found, relative to it.
std::vector<std::string> found_in(const std::vector<std::string>& names) {
  const testing::TemporaryFolder folder;
  for (const std::string& name : names) {
    make_folder((folder / name).parent_path());
    write_file_atomically(folder / name, "x");
  }
  std::vector<std::string> found;
  for (const PublishedFile& file : list_published_files(folder.path())) {
    if (file.needed_to_animate) found.push_back(file.found ? fs::relative(*file.found, folder.path()).string() : "");
  }
  return found;
}

TEST(FindModelFiles, KnowsTheFoldersAndNamesOfOtherPrograms) {
  EXPECT_THAT(found_in({"unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.bin",
                        "image_encoder/model.safetensors"}),
              ElementsAre("unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.bin",
                          "image_encoder/model.safetensors"));
  EXPECT_THAT(found_in({"unet/diffusion_pytorch_model.safetensors.index.json",
                        "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
                        "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
                        "vae/diffusion_pytorch_model.fp16.safetensors", "open_clip_model.safetensors"}),
              ElementsAre("unet/diffusion_pytorch_model.safetensors.index.json",
                          "vae/diffusion_pytorch_model.fp16.safetensors", "open_clip_model.safetensors"));
  EXPECT_THAT(
      found_in({"diffusion_models/my_own.pth", "vae/any.safetensors", "clip_vision/h.safetensors",
                "checkpoints/v2-1_512-ema-pruned.ckpt"}),
      ElementsAre("diffusion_models/my_own.pth", "checkpoints/v2-1_512-ema-pruned.ckpt", "clip_vision/h.safetensors"));
}

TEST(FindModelFiles, ASmallDecoderLiesBesideTheAutoencoder) {
  EXPECT_THAT(found_in({"vae/any.safetensors", "vae/small_decoder.safetensors"}),
              ElementsAre("", "vae/any.safetensors", ""));
  for (const char* place : {"small_decoder.safetensors", "vae/small_decoder.safetensors"}) {
    const testing::TemporaryFolder folder;
    make_folder(folder / "vae");
    for (const char* name :
         {"unianimate_16f_32f_non_ema_223000.pth", "v2-1_512-ema-pruned.ckpt", "open_clip_pytorch_model.bin"}) {
      write_file_atomically(folder / name, "x");
    }
    EXPECT_EQ(find_model_files(folder.path()).small_decoder, fs::path());
    write_file_atomically(folder / place, "x");
    EXPECT_EQ(find_model_files(folder.path()).small_decoder, folder / place);
  }
}

TEST(FindModelFiles, PublishedNamesComeFirstAndNothingIsGuessed) {
  EXPECT_THAT(found_in({"unianimate_16f_32f_non_ema_223000.pth", "unet/diffusion_pytorch_model.safetensors",
                        "vae/one.safetensors", "vae/two.safetensors", "model.safetensors"}),
              ElementsAre("unianimate_16f_32f_non_ema_223000.pth", "", ""));
  EXPECT_THAT(found_in({"vae/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.fp16.safetensors"}),
              ElementsAre("", "vae/diffusion_pytorch_model.safetensors", ""));
}

}  // namespace
}  // namespace unianimate::family
