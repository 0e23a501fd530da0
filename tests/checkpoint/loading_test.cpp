// Checkpoints written as torch.save writes them, loaded into models' tensors.
#include <cmath>
#include <fstream>
#include <limits>

#include "checkpoint_bytes.h"
#include "support/temporary_folder.h"
#include "support/torch_zip_writer.h"
#include "unianimate/checkpoint/convert.h"
#include "unianimate/checkpoint/finite.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/memory.h"
#include "unianimate/core/output_file.h"

namespace unianimate::checkpoint {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::write_torch_zip;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNIANIMATE_SANITIZED
#endif
#endif
#ifdef UNIANIMATE_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

at::Tensor numbers(at::IntArrayRef shape) {
  return at::arange(c10::multiply_integers(shape), at::kFloat).view(shape);
}

TEST(Loading, ConvertsToTheDestinationsTypeAndMemoryFormat) {
  const TemporaryFolder folder;
  const NamedTensors saved{{"conv", numbers({2, 3, 4, 5})}, {"half", numbers({7}).to(at::kHalf)}};
  write_torch_zip(folder / "a.pth", saved);
  const NamedTensors model{{"conv", at::zeros({2, 3, 4, 5}, at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast)},
                           {"half", at::zeros({7})}};
  const LoadReport report = load_into(open_checkpoint(folder / "a.pth"), model);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.loaded, 2);
  EXPECT_EQ(report.bytes, 120 * 4 + 7 * 2);
  EXPECT_TRUE(model[0].tensor.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(at::equal(model[0].tensor, saved[0].tensor.to(at::kBFloat16)));
  EXPECT_TRUE(at::equal(model[1].tensor, saved[1].tensor.to(at::kFloat)));
}

TEST(Loading, WritesIntoParametersThatRequireGradients) {
  const TemporaryFolder folder;
  write_torch_zip(folder / "a.pth", {{"w", numbers({3})}});
  const NamedTensors model{{"w", at::zeros({3}).requires_grad_()}};
  EXPECT_TRUE(load_into(open_checkpoint(folder / "a.pth"), model).ok());
  EXPECT_TRUE(at::equal(model[0].tensor.detach(), numbers({3})));
}

TEST(Loading, ReportsEveryDifferenceAndThenWritesNothing) {
  const TemporaryFolder folder;
  write_torch_zip(folder / "a.pth", {{"same", at::ones({2})}, {"shape", at::ones({2, 3})}, {"extra", at::ones({1})}});
  const NamedTensors model{{"same", at::zeros({2})}, {"shape", at::zeros({3, 2})}, {"absent", at::zeros({1})}};
  const LoadReport report = load_into(open_checkpoint(folder / "a.pth"), model);
  EXPECT_FALSE(report.ok());
  EXPECT_THAT(report.missing, ElementsAre("absent"));
  EXPECT_THAT(report.unexpected, ElementsAre("extra"));
  ASSERT_EQ(report.shape_mismatch.size(), 1);
  EXPECT_THAT(report.shape_mismatch[0].expected, ElementsAre(3, 2));
  EXPECT_THAT(report.shape_mismatch[0].found, ElementsAre(2, 3));
  EXPECT_EQ(report.loaded, 0);
  EXPECT_EQ(model[0].tensor.sum().item<float>(), 0);
  EXPECT_EQ(report.summary(),
            "1 missing (absent); 1 unexpected (extra); 1 of another shape (shape: expected [3, 2], "
            "found [2, 3])");
  try {
    report.require_ok();
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr((folder / "a.pth").string()));
  }
}

TEST(Loading, SummaryNamesTheFirstFewOfMany) {
  LoadReport report;
  for (int i = 0; i < 500; ++i) report.missing.push_back(fmt::format("name{}", i));
  EXPECT_THAT(report.summary(), HasSubstr("500 missing (name0, name1, "));
  EXPECT_THAT(report.summary(), HasSubstr("name7, …)"));
  EXPECT_LT(report.summary().size(), 200);
}

/// Places as `places` says, and leaves all other keys alone.
LoadOptions placed(const std::map<std::string, Placement>& places) {
  LoadOptions options;
  options.place = [places](std::string_view key) -> std::optional<Placement> {
    const auto found = places.find(std::string(key));
    return found == places.end() ? std::nullopt : std::optional(found->second);
  };
  return options;
}

TEST(Loading, SelectsAndRenames) {
  const TemporaryFolder folder;
  write_torch_zip(folder / "a.ckpt",
                  {{"first.w", numbers({3})}, {"first.loss.w", at::ones({2})}, {"second.w", at::ones({5})}},
                  {.step = std::nullopt, .lightning = true});
  const NamedTensors model{{"weight", at::zeros({3})}};
  const LoadReport report =
      load_into(open_checkpoint(folder / "a.ckpt"), model, placed({{"first.w", {.name = "weight"}}}));
  EXPECT_TRUE(report.ok()) << report.summary();
  EXPECT_TRUE(at::equal(model[0].tensor, numbers({3})));
}

TEST(Loading, JoinsPartsTurnsMatricesAndAddsAxes) {
  const TemporaryFolder folder;
  const at::Tensor parts = numbers({6, 4});
  write_torch_zip(folder / "a.pth", {{"k", parts.slice(0, 2, 4).contiguous()},
                                     {"q", parts.slice(0, 0, 2).contiguous()},
                                     {"v", parts.slice(0, 4, 6).contiguous()},
                                     {"turned", numbers({2, 5}).t().contiguous()},
                                     {"linear", numbers({3, 4})},
                                     {"convolution", numbers({3, 4, 1, 1})}});
  const NamedTensors model{{"qkv", at::zeros({6, 4}, at::kBFloat16)},
                           {"matrix", at::zeros({2, 5})},
                           {"pointwise", at::zeros({3, 4, 1, 1})},
                           {"flat", at::zeros({3, 4})}};
  const LoadOptions options = placed({{"q", {.name = "qkv", .part = 0, .parts = 3}},
                                      {"k", {.name = "qkv", .part = 1, .parts = 3}},
                                      {"v", {.name = "qkv", .part = 2, .parts = 3}},
                                      {"turned", {.name = "matrix", .transposed = true}},
                                      {"linear", {.name = "pointwise", .pointwise = true}},
                                      {"convolution", {.name = "flat", .pointwise = true}}});
  const LoadReport report = load_into(open_checkpoint(folder / "a.pth"), model, options);
  EXPECT_TRUE(report.ok()) << report.summary();
  EXPECT_TRUE(at::equal(model[0].tensor, parts.to(at::kBFloat16)));
  EXPECT_TRUE(at::equal(model[1].tensor, numbers({2, 5})));
  EXPECT_TRUE(at::equal(model[2].tensor, numbers({3, 4, 1, 1})));
  EXPECT_TRUE(at::equal(model[3].tensor, numbers({3, 4})));

  write_torch_zip(folder / "b.pth", {{"q", numbers({2, 4})}, {"v", numbers({2, 4})}});
  const NamedTensors half{{"qkv", at::zeros({6, 4})}};
  EXPECT_THAT(load_into(open_checkpoint(folder / "b.pth"), half, options).missing, ElementsAre("qkv"));
}

TEST(Loading, RefusesTwoKeysOfOneName) {
  const TemporaryFolder folder;
  write_torch_zip(folder / "a.pth", {{"a", numbers({3})}, {"b", numbers({3})}});
  const LoadOptions options = placed({{"a", {.name = "x"}}, {"b", {.name = "x"}}});
  EXPECT_THROW(load_into(open_checkpoint(folder / "a.pth"), {{"x", at::zeros({3})}}, options), Error);
}

class Cancelled : public Progress {
 public:
  [[nodiscard]] bool cancelled() const override { return true; }
};

TEST(Loading, StopsWhenCancelled) {
  const TemporaryFolder folder;
  write_torch_zip(folder / "a.pth", {{"a", numbers({3})}});
  Cancelled progress;
  LoadOptions options;
  options.progress = &progress;
  EXPECT_THROW(load_into(open_checkpoint(folder / "a.pth"), {{"a", at::zeros({3})}}, options), Error);
  EXPECT_THROW(convert_checkpoint(folder / "a.pth", folder / "b.safetensors", {}, progress), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "b.safetensors"));
}

TEST(TorchZipWriter, WritesManyTensorsOfManyTypesWrapped) {
  const TemporaryFolder folder;
  NamedTensors saved;
  for (int i = 0; i < 1500; ++i) saved.push_back({fmt::format("layer.{}", i), numbers({i % 3, i % 5, 2})});
  saved.push_back({"long", at::arange(5)});
  saved.push_back({"bool", at::ones({2}, at::kBool)});
  write_torch_zip(folder / "a.pth", saved, {.step = 223000});
  const Checkpoint checkpoint = open_checkpoint(folder / "a.pth");
  EXPECT_EQ(checkpoint.container(), Container::kTorchZip);
  EXPECT_EQ(checkpoint.ignored_entries(), 1);
  ASSERT_EQ(checkpoint.tensors().size(), saved.size());
  for (std::size_t i = 0; i < saved.size(); ++i) {
    EXPECT_EQ(checkpoint.tensors()[i].name, saved[i].name);
    EXPECT_TRUE(at::equal(materialize(checkpoint, checkpoint.tensors()[i]), saved[i].tensor));
  }
}

TEST(Loading, RefusesDataThatDoesNotMatchItsChecksum) {
  const TemporaryFolder folder;
  write_torch_zip(folder / "a.pth", {{"a", at::full({100}, 3.0, at::kFloat)}});
  std::string bytes = testing::read_file(folder / "a.pth");
  bytes[bytes.find("@@", bytes.find("data/0")) + 50] ^= 1;
  testing::expect_refused(bytes, "do not match their checksum");
}

/// Many values, of which the last is `value`.
at::Tensor with_value(double value, at::ScalarType type) {
  at::Tensor tensor = at::full({3, 100'000}, 3.0, at::kDouble);
  tensor[2][99'999] = value;
  return tensor.to(type);
}

TEST(CountNonfinite, KnowsWhatEachTypeCanHold) {
  const auto count = [](const at::Tensor& tensor, at::ScalarType to) {
    const std::span bytes(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
    return count_nonfinite(bytes, element_type(tensor.scalar_type()), to);
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const at::ScalarType from : {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf}) {
    for (const at::ScalarType to : {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf}) {
      for (const double value : {0.0, -1e-45, 1.5, 65504.0, -65519.0, 65519.996, 65520.0, 70000.0, 3.38e38, 3.3961e38,
                                 3.4e38, 3.5e38, 1e300, kInfinity, -kInfinity, std::nan("")}) {
        const at::Tensor tensor = with_value(value, from);
        const bool finite = at::isfinite(tensor[2][99'999].to(to)).item<bool>();
        EXPECT_EQ(count(tensor, to), finite ? 0 : 1) << value << " from " << from << " to " << to;
      }
    }
  }
  const at::Tensor eight = at::tensor({448.0F, std::nanf("")}).to(at::kFloat8_e4m3fn);
  EXPECT_EQ(count(eight, at::kFloat), 1);
  EXPECT_EQ(count(at::tensor({1, 2}), at::kHalf), 0) << "whole numbers have no such values";
}

TEST(Loading, ValuesThatAreNotFiniteAreRefusedOrReported) {
  const TemporaryFolder folder;
  at::Tensor damaged = numbers({4, 3});
  damaged[1][1] = std::nanf("");
  damaged[3][2] = -std::numeric_limits<float>::infinity();
  write_torch_zip(folder / "a.pth", {{"w", damaged}, {"large", at::full({2}, 70000.0)}});
  const NamedTensors model{{"w", at::zeros({4, 3})}, {"large", at::zeros({2}, at::kHalf)}};
  LoadOptions options;
  const LoadReport report = load_into(open_checkpoint(folder / "a.pth"), model, options);
  ASSERT_EQ(report.nonfinite.size(), 2);
  EXPECT_EQ(report.nonfinite[0].sentence(), "'w' holds 2 values of 12 that are not finite");
  EXPECT_EQ(report.nonfinite[1].sentence(), "'large' holds 2 values of 2 that are beyond what fp16 can hold");
  options.require_finite = true;
  try {
    load_into(open_checkpoint(folder / "a.pth"), model, options);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("'w' holds 2 values of 12 that are not finite"));
  }
}

class Notes : public Progress {
 public:
  void note(const std::string& message) override { all.push_back(message); }
  std::vector<std::string> all;
};

TEST(Convert, RefusesWhatTheTypeCannotHold) {
  const TemporaryFolder folder;
  write_torch_zip(folder / "a.pth", {{"w", at::tensor({1.0F / 3, 0.25F, 70000.0F})}});
  const auto output = folder / "b.safetensors";
  Notes progress;
  EXPECT_THROW(convert_checkpoint(folder / "a.pth", output, {.floating_type = at::kHalf}, progress), Error);
  EXPECT_FALSE(std::filesystem::exists(output));
  convert_checkpoint(folder / "a.pth", output, {.floating_type = at::kHalf, .allow_nonfinite = true}, progress);
  EXPECT_THAT(progress.all, ElementsAre(HasSubstr("'w' holds 1 value of 3 that is beyond what fp16 can hold")));
  convert_checkpoint(folder / "a.pth", output, {.floating_type = at::kBFloat16}, progress);
  const Checkpoint written = open_checkpoint(output);
  EXPECT_TRUE(
      at::equal(materialize(written, written.tensors()[0]), at::tensor({1.0F / 3, 0.25F, 70000.0F}).to(at::kBFloat16)));
}

TEST(Convert, ComparesTheChecksumsOfWhatHoldsNoTensors) {
  const TemporaryFolder folder;
  write_torch_zip(folder / "a.pth", {{"w", numbers({3})}});
  std::string bytes = testing::read_file(folder / "a.pth");
  const std::size_t version = bytes.find("version");
  bytes[bytes.find('3', version)] = '4';
  std::ofstream(folder / "a.pth", std::ios::binary) << bytes;
  Notes progress;
  EXPECT_THROW(convert_checkpoint(folder / "a.pth", folder / "b.safetensors", {}, progress), Error);
}

/// A file that others cut while it is read.
TEST(Loading, AFileThatBecomesShorterIsRefused) {
  for (const bool zip : {true, false}) {
    const TemporaryFolder folder;
    const auto path = folder / "a";
    const NamedTensors saved{{"w", numbers({1000, 1000})}, {"x", numbers({10})}};
    if (zip) {
      write_torch_zip(path, saved);
    } else {
      save_safetensors(path, saved);
    }
    const Checkpoint opened = open_checkpoint(path);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    const NamedTensors model{{"w", at::zeros({1000, 1000})}, {"x", at::zeros({10})}};
    try {
      load_into(opened, model);
      FAIL() << "not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_THAT(error.what(), HasSubstr("something has cut it meanwhile"));
    }
    EXPECT_THROW(find_nonfinite(opened, *opened.find("w"), at::kFloat), Error);
  }
}

TEST(CheckpointFile, KeepsHeadersAndTellsWhenTheFileIsShorter) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "0123456789");
  const CheckpointFile file(folder / "a");
  EXPECT_EQ(file.keep(2, 3), "234");
  std::filesystem::resize_file(folder / "a", 4);
  EXPECT_EQ(file.keep(0, 4), "0123");
  EXPECT_THROW(static_cast<void>(file.keep(2, 3)), Error);
  EXPECT_EQ(file.size(), 10);
}

TEST(Shards, AreReadThroughTheirIndex) {
  const TemporaryFolder folder;
  const auto index = folder / "diffusion_pytorch_model.safetensors.index.json";
  save_safetensors(folder / "m-1.safetensors", {{"a", numbers({2})}, {"b", numbers({3})}});
  save_safetensors(folder / "m-2.safetensors", {{"c", numbers({4})}});
  const auto with_map = [&](const std::string& map) {
    write_file_atomically(index, R"({"metadata": {"total_size": 36}, "weight_map": {)" + map + "}}");
  };
  const auto refusal = [&] {
    try {
      open_checkpoint(index);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  with_map(R"("a": "m-1.safetensors", "b": "m-1.safetensors", "c": "m-2.safetensors")");
  const NamedTensors model{{"a", at::zeros({2})}, {"b", at::zeros({3})}, {"c", at::zeros({4})}};
  EXPECT_TRUE(load_into(open_checkpoint(index), model).ok());
  EXPECT_TRUE(at::equal(model[1].tensor, numbers({3})));
  EXPECT_TRUE(at::equal(model[2].tensor, numbers({4})));
  with_map(R"("a": "m-1.safetensors", "c": "m-2.safetensors")");
  EXPECT_THAT(refusal(), HasSubstr("its tensor 'b' is not in the index"));
  with_map(R"("a": "m-1.safetensors", "b": "m-1.safetensors", "d": "m-1.safetensors")");
  EXPECT_THAT(refusal(), HasSubstr("holds 2 of the 3 tensors"));
  with_map(R"("a": "../m-1.safetensors")");
  EXPECT_THAT(refusal(), HasSubstr("should name a file beside it"));
  with_map(R"("a": "m-1.safetensors", "a": "m-2.safetensors")");
  EXPECT_THAT(refusal(), HasSubstr("names 'a' twice"));
  with_map(R"("a": "absent.safetensors")");
  EXPECT_THAT(refusal(), HasSubstr("absent.safetensors: the file cannot be opened"));
  write_file_atomically(index, "[]");
  EXPECT_THAT(refusal(), HasSubstr("weight_map"));
}

/// 400 MB of tensors of 16 MB: what is resident stays near the size of the result.
TEST(Loading, KeepsLittleOfTheFileResident) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's own memory would be measured";
  const TemporaryFolder folder;
  std::vector<testing::TorchTensorSpec> specs;
  NamedTensors model;
  for (int i = 0; i < 25; ++i) {
    specs.push_back({fmt::format("t{}", i), {4, 1024, 1024}});
    model.push_back({specs.back().name, at::zeros(specs.back().shape, at::kBFloat16)});
  }
  write_torch_zip(folder / "a.pth", specs, [](const auto& spec) { return at::ones(spec.shape); });
  reset_peak_memory();
  const std::int64_t before = resident_bytes();
  EXPECT_TRUE(load_into(open_checkpoint(folder / "a.pth"), model).ok());
  EXPECT_LT(peak_resident_bytes() - before, std::int64_t{60} << 20);
  EXPECT_EQ(model.back().tensor.sum(at::kFloat).item<float>(), 4 * 1024 * 1024);
}

}  // namespace
}  // namespace unianimate::checkpoint
