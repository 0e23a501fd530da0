// The models against outputs of the published code. Every unet_*, vae_* and clip_* file of the golden folder is
// compared, with the sizes its metadata gives, in fp32 and bf16 on the CPU and, where there is one, in fp16 too on a
// GPU.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/core/device.h"
#include "unianimate/core/random.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::models {
namespace {

using testing::GoldenFile;
using testing::relative_error;
using testing::rule_input;

constexpr std::int64_t kPromptTokens = 77;

struct Case {
  std::filesystem::path file;
  DeviceChoice device;
  DTypeChoice dtype;
};

struct Tolerances {
  double fp32;
  double bf16;
  double fp16;
};

std::string case_name(const Case& golden) {
  const Compute compute = choose_compute(golden.device, golden.dtype);
  return testing::test_name(golden.file) + "_" + dtype_name(compute.dtype) + (compute.device.is_cuda() ? "_cuda" : "");
}

void PrintTo(const Case& golden, std::ostream* out) {
  *out << case_name(golden);
}

bool has_gpu() {
  load_cuda_libraries(DeviceChoice::kAuto);
  return choose_compute(DeviceChoice::kAuto, DTypeChoice::kFloat32).device.is_cuda();
}

std::vector<Case> cases(const std::string& prefix) {
  static const bool there_is_gpu = has_gpu();
  std::vector<Case> all;
  for (const auto& file : testing::golden_files(prefix)) {
    for (const DTypeChoice dtype : {DTypeChoice::kFloat32, DTypeChoice::kBFloat16}) {
      all.push_back({file, DeviceChoice::kCpu, dtype});
      if (there_is_gpu) all.push_back({file, DeviceChoice::kCuda, dtype});
    }
    if (there_is_gpu) all.push_back({file, DeviceChoice::kCuda, DTypeChoice::kFloat16});
  }
  return all;
}

class GoldenTest : public ::testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] at::TensorOptions options() const {
    return at::TensorOptions().device(compute_.device).dtype(compute_.dtype);
  }
  [[nodiscard]] at::Tensor on_device(const at::Tensor& x) const { return x.to(compute_.device); }
  void expect_close(const std::string& what, const at::Tensor& found, const at::Tensor& expected,
                    const Tolerances& tolerances) const {
    // A card adds in another order.
    const double exact = compute_.device.is_cuda() ? std::max(tolerances.fp32, 1e-5) : tolerances.fp32;
    const double error = relative_error(found.cpu(), expected);
    RecordProperty(what, fmt::format("{:.2e}", error));
    EXPECT_LE(error, compute_.dtype == at::kFloat      ? exact
                     : compute_.dtype == at::kBFloat16 ? tolerances.bf16
                                                       : tolerances.fp16)
        << what;
  }

  c10::InferenceMode inference_;
  GoldenFile golden_{GetParam().file};
  Compute compute_ = choose_compute(GetParam().device, GetParam().dtype);
};

TEST(GoldenFolder, HoldsFilesOfAKnownKind) {
  std::size_t files = 0;
  for (const char* prefix : {"unet_", "vae_", "clip_", "pipeline_"}) files += testing::golden_files(prefix).size();
  EXPECT_GT(files, 0U) << "set UNIANIMATE_GOLDEN_DIR to a folder of unet_*, vae_*, clip_* or pipeline_* files";
}

// ---- UNet ----

using UNetGolden = GoldenTest;

UNetConfig unet_config(const GoldenFile& golden) {
  UNetConfig config;
  const auto read = [&](const char* name, auto& field) {
    if (const auto value = golden.metadata(name); !value.is_null()) value.get_to(field);
  };
  read("dim", config.dim);
  read("dim_mult", config.dim_mult);
  read("num_res_blocks", config.num_res_blocks);
  read("head_dim", config.head_dim);
  read("num_heads", config.num_heads);
  read("context_dim", config.context_dim);
  read("num_tokens", config.num_tokens);
  read("concat_dim", config.concat_dim);
  return config;
}

TEST_P(UNetGolden, Matches) {
  const UNetConfig config = unet_config(golden_);
  const auto batch = golden_.metadata("batch").get<std::int64_t>();
  const auto frames = golden_.metadata("frames").get<std::int64_t>();
  const auto size = golden_.metadata("resolution_WH").get<std::vector<std::int64_t>>();
  const LatentShape shape{batch, frames, size[1] / 8, size[0] / 8};

  const UNet unet(config, options());
  testing::fill_by_rule(unet.named_parameters());
  const at::Tensor x = on_device(rule_input("x", {batch, 4, frames, shape.height, shape.width}));
  const at::Tensor empty_prompt = rule_input("zero_y", {1, kPromptTokens, config.context_dim});
  UNetConditions all;
  all.image = rule_input("image", {batch, 1, config.context_dim});
  all.dwpose = rule_input("dwpose", {batch, 3, 1 + frames, size[1], size[0]}, 0, 1);
  all.randomref = rule_input("randomref", {batch, 4, 1, shape.height, shape.width});
  all.local_image = rule_input("local_image", {batch, 3, 1, size[1], size[0]}, 0, 1).expand({-1, -1, frames, -1, -1});
  const std::map<std::string, UNetConditions> sets{{"ref", {all.image, all.dwpose, all.randomref, {}}},
                                                   {"local", {all.image, all.dwpose, {}, all.local_image}},
                                                   {"none", {}}};

  const std::vector<std::string> outputs = golden_.names("out.");
  ASSERT_FALSE(outputs.empty());
  for (const std::string& name : outputs) {
    const std::size_t dot = name.rfind('.');
    const std::string set = name.substr(4, dot - 4);
    ASSERT_TRUE(sets.contains(set)) << name;
    const at::Tensor timesteps = on_device(at::full({batch}, std::stoll(name.substr(dot + 1)), at::kLong));
    const EncodedConditions conditions = unet.encode(sets.at(set), empty_prompt, shape);
    const Tolerances tolerances{.fp32 = config.dim >= 320 ? 1e-5 : 4e-6, .bf16 = 8e-2, .fp16 = 1e-2};
    expect_close(name, unet(x, timesteps, conditions), golden_.tensor(name), tolerances);
  }
}

// A folder of other golden files need not have one of each kind.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(UNetGolden);
INSTANTIATE_TEST_SUITE_P(Files, UNetGolden, ::testing::ValuesIn(cases("unet_")),
                         [](const auto& test) { return case_name(test.param); });

// ---- autoencoder ----

using AutoencoderGolden = GoldenTest;

TEST_P(AutoencoderGolden, Matches) {
  AutoencoderConfig config;
  config.ch = golden_.metadata("ch").get<std::int64_t>();
  const Autoencoder autoencoder(config, options());
  testing::fill_by_rule(autoencoder.named_parameters());
  const Tolerances tolerances{.fp32 = config.ch >= 128 ? 1e-5 : 4e-6, .bf16 = 3e-2, .fp16 = 1e-2};

  const at::Tensor expected_picture = golden_.tensor("decoded");
  const at::Tensor picture = rule_input("picture", expected_picture.sizes(), 0, 1);
  const at::Tensor moments = autoencoder.encode_moments(2 * picture - 1);
  expect_close("moments", moments, golden_.tensor("moments"), tolerances);

  const at::Tensor expected_latent = golden_.tensor("latent_seed11");
  const at::Tensor noise = at::randn(expected_latent.sizes(), make_generator(11), at::TensorOptions(at::kFloat));
  expect_close("latent", autoencoder.sample_latent(moments, noise), expected_latent, tolerances);
  expect_close("decoded", autoencoder.decode(on_device(expected_latent)), expected_picture, tolerances);
}

// A folder of other golden files need not have one of each kind.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AutoencoderGolden);
INSTANTIATE_TEST_SUITE_P(Files, AutoencoderGolden, ::testing::ValuesIn(cases("vae_")),
                         [](const auto& test) { return case_name(test.param); });

// ---- CLIP ----

using ClipGolden = GoldenTest;

ClipConfig clip_config(const nlohmann::json& json) {
  ClipConfig config;
  json.at("embed_dim").get_to(config.embed_dim);
  const auto& vision = json.at("vision");
  vision.at("width").get_to(config.vision.width);
  vision.at("layers").get_to(config.vision.layers);
  vision.at("heads").get_to(config.vision.heads);
  vision.at("mlp_ratio").get_to(config.vision.mlp_ratio);
  vision.at("image_size").get_to(config.vision.image_size);
  vision.at("patch_size").get_to(config.vision.patch_size);
  const auto& text = json.at("text");
  text.at("width").get_to(config.text.width);
  text.at("layers").get_to(config.text.layers);
  text.at("heads").get_to(config.text.heads);
  text.at("context_length").get_to(config.text.context_length);
  text.at("vocab_size").get_to(config.text.vocab_size);
  return config;
}

TEST_P(ClipGolden, Matches) {
  const ClipConfig config = clip_config(golden_.metadata("clip"));
  const Tolerances tolerances{.fp32 = config.vision.width >= 1280 ? 1e-5 : 4e-6, .bf16 = 1.5e-2, .fp16 = 1e-2};
  {
    const ClipVisual visual(config, options());
    testing::fill_by_rule(visual.named_parameters(), "visual.");
    const at::Tensor picture = rule_input("clip_picture", {1, 3, config.vision.image_size, config.vision.image_size});
    expect_close("image", visual(picture), golden_.tensor("image"), tolerances);
  }
  const ClipText text(config, options());
  testing::fill_by_rule(text.named_parameters());
  expect_close("zero_y", text.embed_empty_prompt(), golden_.tensor("zero_y"), tolerances);
}

// A folder of other golden files need not have one of each kind.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ClipGolden);
INSTANTIATE_TEST_SUITE_P(Files, ClipGolden, ::testing::ValuesIn(cases("clip_")),
                         [](const auto& test) { return case_name(test.param); });

}  // namespace
}  // namespace unianimate::models
