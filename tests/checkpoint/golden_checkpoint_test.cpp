// The published checkpoints of every container, read and compared exactly.
#include "checkpoint_bytes.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/convert.h"

namespace unianimate::checkpoint {
namespace {

using testing::golden_checkpoint;
using testing::read_all;
using testing::read_file;

struct GoldenCase {
  const char* file;
  Container container;
  const char* prefix;
  std::int64_t ignored_entries;
};

class GoldenCheckpoint : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(GoldenCheckpoint, HoldsTheExpectedTensors) {
  const GoldenCase& golden = GetParam();
  const auto expected = read_all(read_file(golden_checkpoint("expected.safetensors")));
  const Checkpoint checkpoint = open_checkpoint(golden_checkpoint(golden.file));
  EXPECT_EQ(checkpoint.container(), golden.container);
  EXPECT_EQ(checkpoint.ignored_entries(), golden.ignored_entries);
  EXPECT_EQ(checkpoint.tensors().size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const TensorEntry* entry = checkpoint.find(golden.prefix + name);
    ASSERT_NE(entry, nullptr) << name;
    const at::Tensor found = materialize(checkpoint, *entry);
    EXPECT_EQ(found.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(found, tensor)) << name;
  }
}

TEST_P(GoldenCheckpoint, ConvertsToSafetensors) {
  const GoldenCase& golden = GetParam();
  const testing::TemporaryFolder folder;
  Progress progress;
  const ConvertReport report =
      convert_checkpoint(golden_checkpoint(golden.file), folder / "out.safetensors", {}, progress);
  const auto expected = read_all(read_file(golden_checkpoint("expected.safetensors")));
  const auto converted = read_all(read_file(folder / "out.safetensors"));
  EXPECT_EQ(report.tensors, static_cast<std::int64_t>(expected.size()));
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(converted.contains(golden.prefix + name));
    EXPECT_TRUE(at::equal(converted.at(golden.prefix + name), tensor)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, GoldenCheckpoint,
    ::testing::Values(GoldenCase{"plain_zip.pth", Container::kTorchZip, "", 0},
                      GoldenCase{"plain_legacy.pth", Container::kTorchLegacy, "", 0},
                      GoldenCase{"wrapped_zip.pth", Container::kTorchZip, "", 1},
                      GoldenCase{"lightning_zip.ckpt", Container::kTorchZip, "first_stage_model.", 7},
                      GoldenCase{"lightning_legacy.ckpt", Container::kTorchLegacy, "first_stage_model.", 7},
                      GoldenCase{"expected.safetensors", Container::kSafetensors, "", 0}),
    [](const auto& test) {
      std::string name = test.param.file;
      std::ranges::replace(name, '.', '_');
      return name;
    });

struct RefusedCase {
  const char* file;
  const char* reason;
};

class RefusedCheckpoint : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedCheckpoint, IsRefusedWithItsNameAndTheReason) {
  const std::filesystem::path path = golden_checkpoint(GetParam().file);
  try {
    open_checkpoint(path);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), ::testing::StartsWith(path.string() + ": "));
    EXPECT_THAT(error.what(), ::testing::HasSubstr(GetParam().reason));
  }
}

INSTANTIATE_TEST_SUITE_P(All, RefusedCheckpoint,
                         ::testing::Values(RefusedCase{"truncated.pth", "cut short"},
                                           RefusedCase{"corrupt.pth", "damaged"},
                                           RefusedCase{"hostile_reduce.pth", "would call posix.system"},
                                           RefusedCase{"hostile_tensor.pth", "would call __builtin__.eval"}),
                         [](const auto& test) {
                           const std::string name = test.param.file;
                           return name.substr(0, name.find('.'));
                         });

class DamagedCheckpoint : public ::testing::TestWithParam<const char*> {};

TEST_P(DamagedCheckpoint, IsRefusedCutShortAnywhere) {
  const std::string whole = read_file(golden_checkpoint(GetParam()));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(read_all(whole.substr(0, size)), Error) << size;
  }
}

/// Zip files carry checksums, so that a flipped bit is noticed or does not matter.
TEST_P(DamagedCheckpoint, WithAFlippedBitIsRefusedOrHasNoWrongChecksum) {
  const std::string whole = read_file(golden_checkpoint(GetParam()));
  const auto expected = read_all(whole);
  const bool has_checksums = open_checkpoint(golden_checkpoint(GetParam())).container() == Container::kTorchZip;
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
    try {
      const auto found = read_all(damaged);
      if (!has_checksums) continue;
      ASSERT_EQ(found.size(), expected.size());
      for (const auto& [name, tensor] : expected) EXPECT_TRUE(at::equal(found.at(name), tensor)) << name << " " << i;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(All, DamagedCheckpoint,
                         ::testing::Values("plain_zip.pth", "plain_legacy.pth", "lightning_zip.ckpt",
                                           "lightning_legacy.ckpt", "expected.safetensors"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST(OpenCheckpoint, RefusesWhatIsNoCheckpoint) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(open_checkpoint(folder / "absent.pth"), Error);
  EXPECT_THROW(open_checkpoint(folder.path()), Error);
  testing::expect_refused("<!DOCTYPE html><html>", "neither a PyTorch checkpoint nor safetensors");
  testing::expect_refused("version https://git-lfs.github.com/spec/v1\n", "git lfs pull");
  testing::expect_refused("\x80\x02K\x01.", "torch.save did not write");
}

}  // namespace
}  // namespace unianimate::checkpoint
