// Checkpoints of other programs, and damaged ones, on the command line: with the embedded model's own weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"
#include "support/torch_zip_writer.h"
#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/device.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ProgramResult;

const std::string kUNet = "unianimate_16f_32f_non_ema_223000.safetensors";

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class ForeignCheckpoints : public ::testing::Test {
 protected:
  /// A models folder of links to the embedded model, but for the UNet, which `change` makes another.
  template <typename Change>
  void make_models(const std::string& name, const Change& change) {
    fs::create_directory(folder_ / name);
    for (const char* file : {"model.json", "v2-1_512-ema-pruned.safetensors", "open_clip_pytorch_model.safetensors"}) {
      fs::create_symlink(fs::path(UNIANIMATE_EMBEDDED_MODEL) / file, folder_ / name / file);
    }
    const checkpoint::Checkpoint unet = checkpoint::open_checkpoint(fs::path(UNIANIMATE_EMBEDDED_MODEL) / kUNet);
    NamedTensors tensors;
    for (const auto& entry : unet.tensors()) {
      tensors.push_back({entry.name, checkpoint::materialize(unet, entry)});
      change(tensors.back());
    }
    checkpoint::save_safetensors(folder_ / name / kUNet, tensors);
  }

  [[nodiscard]] ProgramResult run(const std::vector<std::string>& arguments) const {
    return testing::run_here(arguments, folder_.path());
  }
  [[nodiscard]] ProgramResult animate(const std::string& models, const std::string& output,
                                      const std::vector<std::string>& more = {},
                                      const std::string& dtype = "fp32") const {
    std::vector<std::string> arguments{"animate",  "--reference",  "person/reference.png",
                                       "--poses",  "person/poses", "--size",
                                       "64x96",    "--frames",     "2",
                                       "--dtype",  dtype,          "--device",
                                       "cpu",      "--save-every", "0",
                                       "--models", models,         "--output",
                                       output};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  void SetUp() override {
    ASSERT_EQ(run({"puppet", "--seed", "7", "--size", "64x96", "--frames", "2", "--output", "person"}).status, 0);
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ForeignCheckpoints, APrefixIsToldAndMakesTheSameVideo) {
  make_models("compiled", [](NamedTensor& tensor) { tensor.name = "module._orig_mod." + tensor.name; });
  const ProgramResult plain = animate(UNIANIMATE_EMBEDDED_MODEL, "plain/");
  ASSERT_EQ(plain.status, 0) << plain.err;
  const ProgramResult result = animate("compiled", "out/");
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("read as the UNet: the names begin with 'module._orig_mod.'"));
  for (const char* frame : {"0000.png", "0001.png"}) {
    EXPECT_EQ(bytes_of(folder_ / "out" / frame), bytes_of(folder_ / "plain" / frame)) << frame;
  }
  const json inspection = json::parse(run({"models", "inspect", "compiled/" + kUNet, "--json"}).out);
  EXPECT_EQ(inspection.at("model"), "UNet");
  EXPECT_EQ(inspection.at("prefix"), "module._orig_mod.");
  EXPECT_EQ(inspection.at("problem"), "");
}

TEST_F(ForeignCheckpoints, AFileInEightBitsMakesTheVideoOfDtypeInt8) {
  make_models("in8", [](NamedTensor&) {});
  const std::string embedded = (fs::path(UNIANIMATE_EMBEDDED_MODEL) / kUNet).string();
  const ProgramResult conversion = run({"models", "convert", embedded, "in8/" + kUNet, "--dtype", "int8"});
  ASSERT_EQ(conversion.status, 0) << conversion.err;
  EXPECT_THAT(conversion.err, HasSubstr("8 bits in "));
  EXPECT_LT(fs::file_size(folder_ / "in8" / kUNet), fs::file_size(embedded) * 6 / 10) << "of fp16";
  const ProgramResult direct = animate(UNIANIMATE_EMBEDDED_MODEL, "direct.mkv", {}, "int8");
  ASSERT_EQ(direct.status, 0) << direct.err;
  EXPECT_THAT(direct.err, AllOf(HasSubstr("multiplying in 8 bits"), HasSubstr("8 bits in ")));
  const ProgramResult from_file = animate("in8", "file.mkv", {}, "int8");
  ASSERT_EQ(from_file.status, 0) << from_file.err;
  if (cpu_has_bf16()) {
    EXPECT_EQ(bytes_of(folder_ / "direct.mkv"), bytes_of(folder_ / "file.mkv"));
  }
  ASSERT_EQ(animate(UNIANIMATE_EMBEDDED_MODEL, "exact.mkv").status, 0);
  const ProgramResult comparison = run({"evaluate", "videos", "file.mkv", "exact.mkv", "--json"});
  ASSERT_EQ(comparison.status, 0) << comparison.err;
  const auto psnr = json::parse(comparison.out).at("psnr").get<double>();
  EXPECT_GT(psnr, 45) << "50 and more with steps and sizes as in docs/speed.md";
  EXPECT_LT(psnr, 90) << "nothing was computed in 8 bits";
}

TEST_F(ForeignCheckpoints, WeightsThatAreNotFiniteAreRefusedByNameUnlessAllowed) {
  const std::string name = "time_embed.0.weight";
  make_models("broken", [&](NamedTensor& tensor) {
    if (tensor.name == name) tensor.tensor[0][1] = std::numeric_limits<float>::quiet_NaN();
  });
  const ProgramResult refused = animate("broken", "out/");
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("'" + name + "' holds 1 value of"), HasSubstr("--allow-nonfinite")));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  const ProgramResult allowed = animate("broken", "out/", {"--allow-nonfinite"});
  EXPECT_EQ(allowed.status, 0) << allowed.err;
  EXPECT_THAT(allowed.err, HasSubstr("'" + name + "' holds 1 value of"));
  const ProgramResult inspection = run({"models", "inspect", "broken/" + kUNet});
  EXPECT_EQ(inspection.status, 3);
  EXPECT_THAT(inspection.out, HasSubstr("'" + name + "' holds 1 value of"));
  EXPECT_EQ(run({"models", "convert", "broken/" + kUNet, "copy.safetensors"}).status, 3);
  EXPECT_FALSE(fs::exists(folder_ / "copy.safetensors"));
  EXPECT_EQ(run({"models", "convert", "broken/" + kUNet, "copy.safetensors", "--allow-nonfinite"}).status, 0);
}

TEST_F(ForeignCheckpoints, ChecksumsOfUnknownModelsAreCompared) {
  testing::write_torch_zip(folder_ / "unknown.pth", {{"w", at::full({100}, 3.0, at::kFloat)}});
  EXPECT_EQ(run({"models", "inspect", "unknown.pth"}).status, 0);
  std::string bytes = bytes_of(folder_ / "unknown.pth");
  bytes[bytes.find("@@", bytes.find("data/0")) + 50] ^= 1;
  std::ofstream(folder_ / "unknown.pth", std::ios::binary) << bytes;
  const ProgramResult result = run({"models", "inspect", "unknown.pth"});
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.out, HasSubstr("do not match their checksum"));
  EXPECT_EQ(run({"models", "convert", "unknown.pth", "copy.safetensors"}).status, 3);
  EXPECT_FALSE(fs::exists(folder_ / "copy.safetensors"));
}

}  // namespace
}  // namespace unianimate
