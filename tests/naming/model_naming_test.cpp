// Which tensors of a file are a model's, and what is said about the others.
#include "unianimate/naming/model_naming.h"

#include <gmock/gmock.h>

namespace unianimate::naming {
namespace {

using checkpoint::Checkpoint;
using checkpoint::CheckpointFile;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A safetensors file of tensors without elements.
Checkpoint file_of(const std::vector<std::string>& names) {
  std::string header = "{";
  for (const std::string& name : names) {
    if (header.size() > 1) header += ',';
    header += '"' + name + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  }
  header += '}';
  const std::uint64_t size = header.size();
  return Checkpoint(std::make_shared<const CheckpointFile>(
      "FILE", std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + header));
}

std::vector<std::string> with_prefix(const std::string& prefix, std::vector<std::string> names) {
  for (std::string& name : names) name.insert(0, prefix);
  return names;
}
std::vector<std::string> joined(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const std::vector<std::string> kUNet{"time_embed.0.weight", "pre_image_condition.0.weight", "out.2.bias"};
const std::vector<std::string> kAutoencoder{"encoder.down.0.block.0.norm1.weight", "decoder.conv_in.weight"};

template <typename Work>
std::string message_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "";
}

TEST(ModelNaming, PublishedFilesNeedNoWord) {
  const ModelNaming unet = require_naming(file_of(kUNet), ModelRole::kUNet);
  EXPECT_EQ(unet.prefix, "");
  EXPECT_EQ(unet.note, "");
  const Checkpoint stable_diffusion =
      file_of(joined(with_prefix("first_stage_model.", kAutoencoder), {"model.diffusion_model.out.0.weight", "betas"}));
  const ModelNaming autoencoder = require_naming(stable_diffusion, ModelRole::kAutoencoder);
  EXPECT_EQ(autoencoder.prefix, "first_stage_model.");
  EXPECT_EQ(autoencoder.note, "");
  EXPECT_EQ(autoencoder.place("betas"), std::nullopt);
  EXPECT_EQ(autoencoder.place("first_stage_model.decoder.conv_in.weight")->name, "decoder.conv_in.weight");
}

TEST(ModelNaming, AnyPrefixIsFoundAndTold) {
  for (const std::string prefix : {"module.", "_orig_mod.", "model.", "model.diffusion_model.", "ema.",
                                   "module._orig_mod.", "state_dict.model.", "generator."}) {
    const ModelNaming naming = require_naming(file_of(with_prefix(prefix, kUNet)), ModelRole::kUNet);
    EXPECT_EQ(naming.prefix, prefix);
    EXPECT_EQ(naming.place(prefix + "out.2.bias")->name, "out.2.bias");
    EXPECT_THAT(naming.note, HasSubstr("the names begin with '" + prefix + "'"));
  }
}

TEST(ModelNaming, CompanyIsLeftAlone) {
  const Checkpoint file =
      file_of(joined(kAutoencoder, {"loss.logvar", "model_ema.decay", "optimizer.step", "other.w"}));
  const ModelNaming naming = require_naming(file, ModelRole::kAutoencoder);
  EXPECT_THAT(naming.note, HasSubstr("3 other tensors are not used (loss.logvar, model_ema.decay, optimizer.step)"));
  EXPECT_EQ(naming.place("loss.logvar"), std::nullopt);
  EXPECT_EQ(naming.place("other.w")->name, "other.w") << "what is not known is not left out in silence";
}

TEST(ModelNaming, PlainWeightsArePreferredToAveragedOnes) {
  const Checkpoint both = file_of(joined(with_prefix("ema.", kUNet), kUNet));
  const ModelNaming plain = require_naming(both, ModelRole::kUNet);
  EXPECT_EQ(plain.prefix, "");
  EXPECT_EQ(plain.place("ema.out.2.bias"), std::nullopt);
  EXPECT_THAT(plain.note, HasSubstr("it is there once more, under 'ema.', which is not used"));
  const Checkpoint averaged = file_of(with_prefix("module_ema.", kUNet));
  EXPECT_THAT(require_naming(averaged, ModelRole::kUNet).note, HasSubstr("these are averaged weights"));
  const Checkpoint two = file_of(joined(with_prefix("teacher.", kUNet), with_prefix("student.", kUNet)));
  EXPECT_THAT(message_of([&] { require_naming(two, ModelRole::kUNet); }),
              AllOf(HasSubstr("'teacher.', 'student.'"), HasSubstr("more than once")));
}

TEST(ModelNaming, OtherModelsAreNamedInTheRefusal) {
  const auto refusal = [](const std::vector<std::string>& names, ModelRole role) {
    return message_of([&] { require_naming(file_of(names), role); });
  };
  EXPECT_THAT(refusal({"time_embedding.linear_1.weight", "down_blocks.0.resnets.0.norm1.weight"}, ModelRole::kUNet),
              HasSubstr("those of a UNet of diffusers"));
  EXPECT_THAT(refusal(with_prefix("model.diffusion_model.", {"time_embed.0.weight"}), ModelRole::kUNet),
              HasSubstr("Stable Diffusion's kind"));
  EXPECT_THAT(refusal({"foo.bar.a", "foo.bar.b", "foo.baz"}, ModelRole::kUNet), HasSubstr("begin with 'foo.'"));
  EXPECT_THAT(refusal({"a", "b"}, ModelRole::kAutoencoder), HasSubstr("the first of its names is 'a'"));
  EXPECT_THAT(refusal({}, ModelRole::kAutoencoder), HasSubstr("holds no tensors"));
  EXPECT_THAT(refusal({"vision_model.embeddings.patch_embedding.weight"}, ModelRole::kClip),
              HasSubstr("no text tower"));
  EXPECT_THAT(refusal({"text_model.embeddings.token_embedding.weight"}, ModelRole::kClip),
              HasSubstr("no picture tower"));
  EXPECT_FALSE(find_naming(file_of({"a"}), ModelRole::kUNet));
}

}  // namespace
}  // namespace unianimate::naming
