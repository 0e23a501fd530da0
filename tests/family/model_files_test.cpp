#include "unianimate/family/unianimate/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "support/torch_zip_writer.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/family/unianimate/model_recognition.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::family {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class ModelFilesTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    testing::write_rule_models(folder_->path(), testing::small_model_configs());
  }
  static void TearDownTestSuite() { folder_.reset(); }
  void SetUp() override { files_ = find_model_files(folder_->path()); }

  /// What read_model_configs says when model.json is `text`.
  std::string message_with(const std::string& text) {
    const testing::TemporaryFolder other;
    write_file_atomically(other / "model.json", text);
    files_.description = other / "model.json";
    return message_of([&] { read_model_configs(files_); });
  }

  static std::unique_ptr<testing::TemporaryFolder> folder_;
  ModelFiles files_;
};

std::unique_ptr<testing::TemporaryFolder> ModelFilesTest::folder_;

TEST_F(ModelFilesTest, SizesComeFromShapesAndDescription) {
  const ModelConfigs expected = testing::small_model_configs();
  const ModelConfigs found = read_model_configs(files_);
  EXPECT_EQ(found.unet, expected.unet);
  EXPECT_EQ(found.autoencoder, expected.autoencoder);
  EXPECT_EQ(found.clip, expected.clip);
}

TEST_F(ModelFilesTest, SafetensorsOfTheSameBaseNameIsPreferred) {
  const testing::TemporaryFolder other;
  for (const char* name : {"unianimate_16f_32f_non_ema_223000.pth", "unianimate_16f_32f_non_ema_223000.safetensors",
                           "v2-1_512-ema-pruned.ckpt", "open_clip_pytorch_model.safetensors"}) {
    write_file_atomically(other / name, "x");
  }
  const ModelFiles files = find_model_files(other.path());
  EXPECT_EQ(files.unet.extension(), ".safetensors");
  EXPECT_EQ(files.autoencoder.extension(), ".ckpt");
  EXPECT_EQ(files.clip.extension(), ".safetensors");
}

TEST_F(ModelFilesTest, EveryMissingFileIsNamed) {
  const testing::TemporaryFolder empty;
  const std::string message = message_of([&] { find_model_files(empty.path()); });
  EXPECT_THAT(message, HasSubstr("unianimate_16f_32f_non_ema_223000.pth"));
  EXPECT_THAT(message, HasSubstr("v2-1_512-ema-pruned.ckpt"));
  EXPECT_THAT(message, HasSubstr("open_clip_pytorch_model.bin"));
}

TEST_F(ModelFilesTest, AContradictionWithTheShapesNamesBoth) {
  const std::string message = message_with(R"({"unet": {"dim": 64}})");
  EXPECT_THAT(message, HasSubstr("dim"));
  EXPECT_THAT(message, HasSubstr("64"));
  EXPECT_THAT(message, HasSubstr("32"));
  EXPECT_THAT(message, HasSubstr(files_.unet.string()));
  EXPECT_THAT(message_with(R"({"clip": {"vision": {"layers": 3}}})"), HasSubstr("layers"));
  EXPECT_THAT(message_with(R"({"unet": {"head_dim": 32, "num_heads": 8}})"), HasSubstr("num_heads"));
}

TEST_F(ModelFilesTest, HeadDimAloneGivesTheNumberOfHeads) {
  const testing::TemporaryFolder other;
  write_file_atomically(other / "model.json",
                        R"({"unet": {"head_dim": 32}, "clip": {"vision": {"heads": 4}, "text": {"heads": 4}}})");
  files_.description = other / "model.json";
  EXPECT_EQ(read_model_configs(files_).unet.num_heads, 4);
}

TEST_F(ModelFilesTest, ADescriptionMayHaveSettingsThatSuitTheModel) {
  const testing::TemporaryFolder other;
  EXPECT_EQ(default_request(other.path()).width, 512) << "the published ones without a file";
  write_file_atomically(other / "model.json",
                        R"({"defaults": {"width": 96, "height": 128, "steps": 7, "guidance_scale": 1,
                                         "context_size": 8, "context_overlap": 2, "frame_interval": 1}})");
  const AnimateRequest request = default_request(other.path());
  EXPECT_EQ(request.width, 96);
  EXPECT_EQ(request.sampling.steps, 7);
  EXPECT_EQ(request.context.size, 8);
  ModelDescription description = read_model_description(other / "model.json");
  description.configs.unet.dim = 48;
  write_model_description(other / "again.json", description);
  const ModelDescription again = read_model_description(other / "again.json");
  EXPECT_EQ(again.configs.unet.dim, 48);
  EXPECT_EQ(again.defaults.height, 128);
  write_file_atomically(other / "model.json", R"({"defaults": {"width": 8}})");
  EXPECT_THROW(default_request(other.path()), Error) << "settings out of range";
}

TEST_F(ModelFilesTest, BadDescriptionsAreRefusedInOneSentence) {
  EXPECT_THAT(message_with("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(message_with("[]"), HasSubstr("object"));
  EXPECT_THAT(message_with(R"({"unet": {"dimm": 32}})"), HasSubstr("dimm"));
  EXPECT_THAT(message_with(R"({"unet": {"dim": "32"}})"), HasSubstr("whole number"));
  EXPECT_THAT(message_with(R"({"unet": {"dim_mult": [1, 2.5]}})"), HasSubstr("whole numbers"));
  EXPECT_THAT(message_with(R"({"autoencoder": {"scale_factor": -1}})"), HasSubstr("scale_factor"));
  EXPECT_THAT(message_with(R"({"unet": {"norm_groups": 7}})"), HasSubstr("norm_groups"));
  EXPECT_THAT(message_with(R"({"unet": {"num_heads": 0}})"), HasSubstr("num_heads"));
  EXPECT_THAT(message_with(R"({"unet": {"num_heads": -8}})"), HasSubstr("num_heads"));
  EXPECT_THAT(message_with(R"({"unet": {"head_dim": 9223372036854775807}})"), HasSubstr("head_dim"));
  EXPECT_THAT(message_with(std::string(100'000, '[')), HasSubstr("deep"));
  EXPECT_THAT(message_with(R"({"unet": {"dim": 32, "dim": 64}})"), HasSubstr("names 'dim' twice"));
  EXPECT_THAT(message_with(std::string("{}\0{}", 5)), HasSubstr("its byte 2 is zero"));
}

TEST_F(ModelFilesTest, AnAutoencoderOfOtherLatentsIsRefused) {
  const testing::TemporaryFolder other;
  fs::copy(files_.autoencoder, other.path());
  files_.autoencoder = other.path() / files_.autoencoder.filename();
  const auto with = [&](const std::string& config, const std::string& more = "") {
    write_file_atomically(other / "config.json", config);
    return message_with(R"({"unet": {"head_dim": 16}, "clip": {"vision": {"heads": 4}, "text": {"heads": 4}})" + more +
                        "}");
  };
  EXPECT_EQ(with(R"({"_class_name": "AutoencoderKL", "scaling_factor": 0.18215})"), "");
  EXPECT_EQ(with(R"({"_class_name": "AutoencoderKL"})"), "") << "as older ones are";
  EXPECT_EQ(with(R"({"scaling_factor": null})"), "");
  const std::string sdxl = R"({"_class_name": "AutoencoderKL", "scaling_factor": 0.13025})";
  EXPECT_THAT(with(sdxl), AllOf(HasSubstr(files_.autoencoder.string()), HasSubstr((other / "config.json").string()),
                                HasSubstr("scaled by 0.13025, and 0.18215 is expected"),
                                HasSubstr(R"({"autoencoder": {"scale_factor": 0.13025}})")));
  EXPECT_EQ(with(sdxl, R"(, "autoencoder": {"scale_factor": 0.13025})"), "");
  EXPECT_THAT(with(sdxl, R"(, "autoencoder": {"scale_factor": 0.5})"),
              HasSubstr("autoencoder.scale_factor is 0.5, but"));
  RecognisedModel model;
  examine_unianimate(checkpoint::open_checkpoint(files_.autoencoder), files_.autoencoder, model);
  EXPECT_THAT(model.notes, ::testing::Contains(HasSubstr("scaled by 0.13025, and 0.18215 is expected")));
  for (const char* bad : {"0", "-0.18215", R"("0.18215")", "[0.18215]", "true"}) {
    EXPECT_THAT(with(std::string(R"({"scaling_factor": )") + bad + "}"), HasSubstr("must be a positive number")) << bad;
  }
  EXPECT_THAT(with("{"), AllOf(HasSubstr("config.json"), HasSubstr("not valid JSON")));
  EXPECT_THAT(with(std::string(2'000'000, ' ')), HasSubstr("over 1 MiB"));
}

TEST_F(ModelFilesTest, FilesInEachOthersPlaceAreNoticed) {
  std::swap(files_.unet, files_.clip);
  EXPECT_THAT(message_of([&] { read_model_configs(files_); }), HasSubstr("UNet"));
}

TEST_F(ModelFilesTest, AKeyTooFewOrTooManyIsNamedBeforeAnyWork) {
  const models::UNet unet(testing::small_model_configs().unet, at::TensorOptions());
  NamedTensors tensors = unet.named_parameters();
  const testing::TemporaryFolder other;
  files_.unet = other / "unet.pth";
  tensors.back().name = "another.weight";
  testing::write_torch_zip(files_.unet, tensors);
  const std::string message = message_of([&] { read_model_configs(files_); });
  EXPECT_THAT(message, HasSubstr("out.2.bias"));
  EXPECT_THAT(message, HasSubstr("another.weight"));
  EXPECT_THAT(message, HasSubstr(files_.unet.string()));
}

TEST_F(ModelFilesTest, ModelsOfDifferentFamiliesAreNoticed) {
  const testing::TemporaryFolder other;
  ModelConfigs wide = testing::small_model_configs();
  wide.clip.embed_dim = 32;
  testing::write_rule_models(other.path(), wide);
  files_.clip = other / "open_clip_pytorch_model.bin";
  files_.description.clear();
  EXPECT_THAT(message_of([&] { read_model_configs(files_); }), HasSubstr("embed_dim"));
}

}  // namespace
}  // namespace unianimate::family
