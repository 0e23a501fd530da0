// UNets in 8 bits: which layers, the file, and what is loaded from it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "support/checkpoint_tensors.h"
#include "support/golden_file.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/error.h"
#include "unianimate/family/unianimate/int8_file.h"
#include "unianimate/family/unianimate/int8_selection.h"
#include "unianimate/family/unianimate/int8_weights.h"
#include "unianimate/family/unianimate/memory.h"
#include "unianimate/family/unianimate/unianimate_family.h"
#include "unianimate/models/int8_candidates.h"

namespace unianimate::family {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::relative_error;

constexpr const char* kFile = "unianimate_16f_32f_non_ema_223000.safetensors";
constexpr const char* kLayer = "middle_block.1.proj_in";

class Told : public Progress {
 public:
  void note(const std::string& message) override { all.push_back(message); }
  std::vector<std::string> all;
};

std::string refusal_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class Int8Models : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    testing::write_rule_models(folder_->path(), testing::tiny_model_configs());
    Told progress;
    report_ =
        convert_unet_to_int8(find_model_files(folder_->path()).unet, *folder_ / "int8.safetensors", false, progress);
    notes_ = progress.all;
    LoadedModels exact = models({}, DTypeChoice::kFloat32);
    person_ = encode_drawn_person(exact, progress);
  }
  static void TearDownTestSuite() {
    folder_.reset();
    person_ = {};
  }

  static ModelFiles files(const fs::path& unet = {}) {
    ModelFiles files = find_model_files(folder_->path());
    if (!unet.empty()) files.unet = unet;
    return files;
  }
  static LoadedModels models(const fs::path& unet, DTypeChoice dtype) {
    RuntimeOptions options;
    options.compute = choose_compute(DeviceChoice::kCpu, dtype);
    return {files(unet), read_model_configs(files(unet)), options};
  }
  /// Of the drawn person at timestep 499.
  static at::Tensor predict(LoadedModels& models) {
    const c10::InferenceMode inference;
    Told progress;
    const models::UNet& unet = models.unet(progress);
    const at::Tensor& x = person_.latents;
    const auto conditions = unet.encode(person_.conditions, person_.empty_prompt, {1, x.size(2), x.size(3), x.size(4)});
    return unet(x, at::full({1}, 499, at::kLong), conditions).to(at::kFloat);
  }
  static std::set<std::string> int8_layers(LoadedModels& models) {
    Told progress;
    std::set<std::string> layers;
    for (const nn::NamedProduct& layer : models.unet(progress).named_products()) {
      if (layer.product->is_int8()) layers.insert(layer.name);
    }
    return layers;
  }
  /// What is said of the converted file after `change`.
  static std::string message_with(const std::function<void(std::map<std::string, at::Tensor>&)>& change) {
    std::map<std::string, at::Tensor> tensors;
    for (const NamedTensor& named : testing::tensors_of(*folder_ / "int8.safetensors"))
      tensors[named.name] = named.tensor;
    change(tensors);
    NamedTensors changed;
    for (const auto& [name, tensor] : tensors) changed.push_back({name, tensor});
    const testing::TemporaryFolder other;
    checkpoint::save_safetensors(other / kFile, changed);
    return refusal_of([&] { read_model_configs(files(other / kFile)); });
  }

  static std::unique_ptr<testing::TemporaryFolder> folder_;
  static checkpoint::ConvertReport report_;
  static std::vector<std::string> notes_;
  static DrawnPerson person_;
};

std::unique_ptr<testing::TemporaryFolder> Int8Models::folder_;
checkpoint::ConvertReport Int8Models::report_;
std::vector<std::string> Int8Models::notes_;
DrawnPerson Int8Models::person_;

TEST_F(Int8Models, MeasuringLeavesTheModelAsItIs) {
  LoadedModels exact = models({}, DTypeChoice::kFloat32);
  const at::Tensor before = predict(exact);
  Told progress;
  const models::UNet& unet = exact.unet(progress);
  const std::vector<Int8Error> errors = measure_int8(unet, person_, progress);
  EXPECT_TRUE(at::equal(predict(exact), before));
  ASSERT_EQ(errors.size(), models::int8_candidates(unet).size());
  for (const Int8Error& one : errors) {
    EXPECT_GT(one.error, 1e-4) << one.layer << " was not computed, or not in 8 bits";
    EXPECT_LT(one.error, 0.5) << one.layer;
  }
}

TEST_F(Int8Models, FirstAndLastConvolutionAndEmbeddingsAreNoCandidates) {
  const models::UNet unet(testing::tiny_model_configs().unet, at::TensorOptions(at::kMeta));
  std::set<std::string> names;
  for (const nn::NamedProduct& layer : models::int8_candidates(unet)) names.insert(layer.name);
  EXPECT_TRUE(names.contains(kLayer));
  EXPECT_TRUE(names.contains("input_blocks.0.1.proj_in"));
  for (const char* name :
       {"input_blocks.0.0", "out.2", "time_embed.0", "time_embed.2", "pre_image_condition.0", "dwpose_embedding.0",
        "randomref_embedding_after2.layers.0.0.fn.to_qkv", "middle_block.0.emb_layers.1"}) {
    EXPECT_FALSE(names.contains(name)) << name;
  }
}

TEST_F(Int8Models, AFileHoldsWholeNumbersAndTheirScales) {
  const fs::path file = *folder_ / "int8.safetensors";
  const checkpoint::Checkpoint opened = checkpoint::open_checkpoint(file);
  EXPECT_EQ(opened.total_bytes(), report_.bytes);
  EXPECT_EQ(static_cast<std::int64_t>(opened.tensors().size()), report_.tensors);
  std::int64_t in_int8 = 0;
  for (const checkpoint::TensorEntry& entry : opened.tensors()) {
    if (entry.type == checkpoint::ElementType::kInt8) {
      ++in_int8;
      EXPECT_NE(opened.find(entry.name + "_scale"), nullptr) << entry.name;
    } else if (!entry.name.ends_with(kScaleSuffix)) {
      EXPECT_EQ(entry.type, checkpoint::ElementType::kBFloat16) << entry.name;
    }
  }
  const auto left = nlohmann::json::parse(opened.metadata().at("layers_not_in_int8"));
  const models::UNet unet(testing::tiny_model_configs().unet, at::TensorOptions(at::kMeta));
  EXPECT_EQ(in_int8 + static_cast<std::int64_t>(left.size()),
            static_cast<std::int64_t>(models::int8_candidates(unet).size()));
  for (const auto& [layer, error] : left.items()) {
    EXPECT_GT(error.get<double>(), kMostInt8Error) << layer;
    EXPECT_EQ(opened.find(layer + ".weight_scale"), nullptr) << layer;
  }
  ASSERT_FALSE(notes_.empty());
  EXPECT_THAT(notes_.back(), HasSubstr(fmt::format("8 bits in {} of", in_int8)));
}

TEST_F(Int8Models, AFileSaysWhatItsInputSaysOfItself) {
  const testing::TemporaryFolder other;
  testing::write_rule_models(other.path(), testing::tiny_model_configs());
  const fs::path distilled = other / kFile;
  const checkpoint::Metadata metadata{{"sampler", "lcm"}, {"grid", "50"}};
  checkpoint::save_safetensors(distilled, testing::tensors_of(files().unet), metadata);
  Told progress;
  convert_unet_to_int8(distilled, other / "int8.safetensors", false, progress);
  checkpoint::Metadata converted = checkpoint::open_checkpoint(other / "int8.safetensors").metadata();
  EXPECT_EQ(converted.erase("layers_not_in_int8"), 1);
  EXPECT_EQ(converted.erase("weights_hash"), 1);
  EXPECT_EQ(converted, checkpoint::open_checkpoint(distilled).metadata());
}

TEST_F(Int8Models, OfAFileThatMultiplyOtherwiseSayThatTheirWeightsAreRounded) {
  const auto notes = [](const fs::path& unet, DTypeChoice dtype) {
    RuntimeOptions options;
    options.compute = choose_compute(DeviceChoice::kCpu, dtype);
    return open_unianimate(files(unet), options)->check();
  };
  const fs::path file = *folder_ / "int8.safetensors";
  const auto rounded = ::testing::Contains(HasSubstr("int8.safetensors holds weights rounded to 8 bits"));
  EXPECT_THAT(notes(file, DTypeChoice::kFloat32), rounded);
  EXPECT_THAT(notes(file, DTypeChoice::kInt8), ::testing::Not(rounded));
  EXPECT_THAT(notes({}, DTypeChoice::kFloat32), ::testing::IsEmpty());
}

TEST_F(Int8Models, OfAFileComputeAsThoseMeasuredWhenLoaded) {
  LoadedModels measured = models({}, DTypeChoice::kInt8);
  LoadedModels from_file = models(*folder_ / "int8.safetensors", DTypeChoice::kInt8);
  EXPECT_FALSE(int8_layers(measured).empty());
  EXPECT_EQ(int8_layers(measured), int8_layers(from_file));
  if (cpu_has_bf16()) {
    EXPECT_TRUE(at::equal(predict(measured), predict(from_file))) << "elsewhere the file's other layers are rounded";
  }
  const at::Tensor first = predict(measured);
  measured.free_unet();
  EXPECT_TRUE(at::equal(predict(measured), first)) << "loaded a second time, without measuring";
}

TEST(Int8Decoder, MultipliesInEightBitsWhatHardlyMovesByIt) {
  const c10::InferenceMode inference;
  Told progress;
  const auto in_int8 = [](const models::Autoencoder& autoencoder) {
    std::set<std::string> layers;
    for (const nn::NamedProduct& layer : autoencoder.named_products()) {
      if (layer.product->is_int8()) layers.insert(layer.name);
    }
    return layers;
  };
  // Rule weights exaggerate: no layer would fit.
  const ModelFiles files = find_model_files(UNIANIMATE_EMBEDDED_MODEL);
  const auto models = [&](DTypeChoice dtype) {
    RuntimeOptions options;
    options.compute = choose_compute(DeviceChoice::kCpu, dtype);
    return LoadedModels(files, read_model_configs(files), options);
  };
  LoadedModels exact = models(DTypeChoice::kFloat32);
  const at::Tensor latent = encode_drawn_frame(exact, progress);
  EXPECT_TRUE(in_int8(exact.decoder(progress)).empty());
  const at::Tensor expected = exact.decoder(progress).decode(latent);
  const std::vector<Int8Error> errors = measure_int8(exact.decoder(progress), latent);
  EXPECT_TRUE(at::equal(exact.decoder(progress).decode(latent), expected)) << "measuring leaves it as it is";

  LoadedModels measured = models(DTypeChoice::kInt8);
  EXPECT_TRUE(in_int8(measured.autoencoder(progress)).empty()) << "to encode";
  const std::set<std::string> layers = in_int8(measured.decoder(progress));
  EXPECT_THAT(progress.all.back(),
              HasSubstr(fmt::format("8 bits in {} of {} layers of the decoder", layers.size(), errors.size())));
  ASSERT_FALSE(layers.empty());
  for (const std::string& layer : layers) {
    EXPECT_TRUE(layer.starts_with("decoder.")) << layer;
    EXPECT_FALSE(layer == "decoder.conv_in" || layer == "decoder.conv_out");
  }
  const at::Tensor decoded = measured.decoder(progress).decode(latent);
  EXPECT_LT(relative_error(decoded.to(at::kFloat), expected), 0.03);
  const std::size_t told = progress.all.size();
  measured.free_autoencoder();
  EXPECT_TRUE(in_int8(measured.autoencoder(progress)).empty());
  EXPECT_EQ(in_int8(measured.decoder(progress)), layers);
  EXPECT_TRUE(at::equal(measured.decoder(progress).decode(latent), decoded));
  EXPECT_EQ(progress.all.size(), told) << "loaded a second time, without measuring";
}

TEST_F(Int8Models, OfAFileAreWeightsForEveryFormat) {
  LoadedModels exact = models({}, DTypeChoice::kFloat32);
  LoadedModels from_file = models(*folder_ / "int8.safetensors", DTypeChoice::kFloat32);
  EXPECT_TRUE(int8_layers(from_file).empty());
  const at::Tensor expected = predict(exact);
  const at::Tensor found = predict(from_file);
  EXPECT_LT(relative_error(found, expected), 0.1) << "rule weights exaggerate";
  EXPECT_FALSE(at::equal(found, expected));
  LoadedModels in_int8 = models(*folder_ / "int8.safetensors", DTypeChoice::kInt8);
  EXPECT_LT(relative_error(predict(in_int8), expected), 0.2) << "rule weights exaggerate";
}

TEST_F(Int8Models, LayersThatWouldMoveStayAsTheyAre) {
  // One input channel so large that the others fall into one step, and of no weight.
  NamedTensors tensors = testing::tensors_of(files().unet);
  for (NamedTensor& named : tensors) {
    named.tensor = named.tensor.clone();
    if (named.name == "middle_block.1.norm.weight") named.tensor[0] = 3000.0;
    if (named.name == std::string(kLayer) + ".weight") named.tensor.select(1, 0).zero_();
  }
  const testing::TemporaryFolder other;
  checkpoint::save_safetensors(other / kFile, tensors);
  LoadedModels changed = models(other / kFile, DTypeChoice::kInt8);
  LoadedModels usual = models({}, DTypeChoice::kInt8);
  EXPECT_TRUE(int8_layers(usual).contains(kLayer));
  EXPECT_FALSE(int8_layers(changed).contains(kLayer));
}

TEST_F(Int8Models, LayersWhoseErrorIsNoNumberStayAsTheyAre) {
  NamedTensors tensors = testing::tensors_of(files().unet);
  for (NamedTensor& named : tensors) {
    if (named.name != std::string(kLayer) + ".weight") continue;
    named.tensor = named.tensor.clone();
    named.tensor.flatten()[0] = std::numeric_limits<double>::quiet_NaN();
  }
  const testing::TemporaryFolder other;
  checkpoint::save_safetensors(other / kFile, tensors);
  RuntimeOptions options;
  options.compute = choose_compute(DeviceChoice::kCpu, DTypeChoice::kInt8);
  options.allow_nonfinite = true;
  LoadedModels broken(files(other / kFile), read_model_configs(files(other / kFile)), options);
  EXPECT_FALSE(int8_layers(broken).contains(kLayer));
}

TEST_F(Int8Models, ScalesBeyondTheNumberFormatAreRefused) {
  NamedTensors tensors = testing::tensors_of(*folder_ / "int8.safetensors");
  for (NamedTensor& named : tensors) {
    if (named.name == std::string(kLayer) + ".weight_scale") named.tensor = at::full_like(named.tensor, 3e38);
  }
  const testing::TemporaryFolder other;
  checkpoint::save_safetensors(other / kFile, tensors);
  LoadedModels hostile = models(other / kFile, DTypeChoice::kFloat32);
  Told progress;
  EXPECT_THAT(refusal_of([&] { hostile.unet(progress); }), HasSubstr(std::string(kLayer) + ".weight_scale' takes"));
}

TEST_F(Int8Models, ScalesAreNotConvertedApart) {
  Told progress;
  const fs::path output = *folder_ / "half.safetensors";
  const checkpoint::ConvertOptions to_bf16{at::kBFloat16};
  EXPECT_THAT(
      refusal_of([&] { checkpoint::convert_checkpoint(*folder_ / "int8.safetensors", output, to_bf16, progress); }),
      HasSubstr("holds weights in 8 bits and their scales"));
  EXPECT_FALSE(fs::exists(output));
}

TEST_F(Int8Models, DamagedFilesAreRefusedWithTheTensorsName) {
  const std::string layer = [] {
    for (const NamedTensor& named : testing::tensors_of(*folder_ / "int8.safetensors")) {
      if (named.name.ends_with(kScaleSuffix)) return named.name.substr(0, named.name.size() - kScaleSuffix.size());
    }
    return std::string();
  }();
  const std::string scale = layer + ".weight_scale";
  using Tensors = std::map<std::string, at::Tensor>;
  EXPECT_EQ(message_with([](Tensors&) {}), "");
  EXPECT_THAT(message_with([&](Tensors& tensors) { tensors.erase(scale); }),
              HasSubstr("'" + layer + ".weight' holds whole numbers without scales"));
  EXPECT_THAT(message_with([&](Tensors& tensors) { tensors[scale] = at::ones({3}); }),
              HasSubstr("'" + scale + "' must"));
  EXPECT_THAT(message_with([&](Tensors& tensors) { tensors[scale] = tensors[scale].to(at::kHalf); }),
              HasSubstr("'" + scale + "' must"));
  for (const double bad :
       {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(message_with([&](Tensors& tensors) { tensors[scale][0] = bad; }),
                HasSubstr("'" + scale + "' holds a scale"));
  }
  EXPECT_THAT(
      message_with([&](Tensors& tensors) { tensors[layer + ".weight"] = tensors[layer + ".weight"].to(at::kFloat); }),
      HasSubstr("'" + scale + "' holds scales, but"));
  EXPECT_THAT(message_with([&](Tensors& tensors) { tensors["strange.weight_scale"] = at::ones({3}); }),
              HasSubstr("strange"));
}

TEST_F(Int8Models, WhatIsNoFullUNetIsNotConverted) {
  Told progress;
  const auto convert = [&](const fs::path& input, const fs::path& output) {
    return refusal_of([&] { convert_unet_to_int8(input, output, false, progress); });
  };
  const fs::path output = *folder_ / "again.safetensors";
  EXPECT_THAT(convert(*folder_ / "int8.safetensors", output), HasSubstr("holds weights in 8 bits already"));
  EXPECT_THAT(convert(files().clip, output), HasSubstr("UNet"));
  EXPECT_THAT(convert(files().unet, *folder_ / "again.pth"), HasSubstr("must end in .safetensors"));
  const testing::TemporaryFolder alone;
  fs::copy_file(files().unet, alone / files().unet.filename().string());
  EXPECT_THAT(convert(alone / files().unet.filename().string(), output), HasSubstr("lacks"));
  EXPECT_FALSE(fs::exists(output));
}

TEST(Int8Memory, CountsOneByteForEachWeightInEightBits) {
  const ModelConfigs published;
  const std::int64_t whole = model_bytes(published, {at::kCPU, at::kBFloat16, false, {}}).unet;
  const Compute int8{at::kCPU, at::kBFloat16, true, {}};
  const ModelBytes bytes = model_bytes(published, int8);
  EXPECT_GT(bytes.unet, whole / 2);
  EXPECT_LT(bytes.unet, whole * 53 / 100) << "little else than weights that may be in 8 bits";
  EXPECT_EQ(bytes.unet_loading, whole + (whole - bytes.unet)) << "the measured numbers beside the weights";
  ModelConfigs in_file = published;
  constexpr std::int64_t kInFile = 1'000'000;
  in_file.unet_int8_elements = kInFile;
  EXPECT_EQ(model_bytes(in_file, int8).unet_loading, whole);
  EXPECT_EQ(model_bytes(in_file, int8).unet, whole - kInFile) << "the rest of the file keeps its two bytes";
}

}  // namespace
}  // namespace unianimate::family
