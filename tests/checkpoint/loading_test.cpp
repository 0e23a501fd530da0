// Checkpoints written as torch.save writes them, loaded into models' tensors.
#include "checkpoint_bytes.h"
#include "support/temporary_folder.h"
#include "support/torch_zip_writer.h"
#include "unianimate/checkpoint/convert.h"
#include "unianimate/core/memory.h"

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

TEST(Loading, SelectsIgnoresAndRenames) {
  const TemporaryFolder folder;
  write_torch_zip(folder / "a.ckpt",
                  {{"first.w", numbers({3})}, {"first.loss.w", at::ones({2})}, {"second.w", at::ones({5})}},
                  {.step = std::nullopt, .lightning = true});
  const NamedTensors model{{"weight", at::zeros({3})}};
  LoadOptions options;
  options.prefix = "first.";
  options.ignored_prefixes = {"loss."};
  options.rename = [](std::string_view key) { return key == "w" ? std::string("weight") : std::string(key); };
  const LoadReport report = load_into(open_checkpoint(folder / "a.ckpt"), model, options);
  EXPECT_TRUE(report.ok()) << report.summary();
  EXPECT_TRUE(at::equal(model[0].tensor, numbers({3})));
}

TEST(Loading, RefusesTwoKeysOfOneName) {
  const TemporaryFolder folder;
  write_torch_zip(folder / "a.pth", {{"a", numbers({3})}, {"b", numbers({3})}});
  LoadOptions options;
  options.rename = [](std::string_view) { return std::string("x"); };
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
  EXPECT_THROW(convert_checkpoint(folder / "a.pth", folder / "b.safetensors", std::nullopt, progress), Error);
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
