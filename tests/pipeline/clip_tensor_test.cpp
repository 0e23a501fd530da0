#include "unianimate/pipeline/clip_tensor.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"

namespace unianimate::pipeline {
namespace {

TEST(ClipTensor, KeepsItsNumbersWhenItsPagesAreGivenBack) {
  constexpr std::int64_t kMany = 40'000'000;
  const testing::TemporaryFolder folder;
  const ClipTensor tensor({4, kMany / 4}, 1000, folder.path());
  ASSERT_TRUE(tensor.in_file());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "the file has no name";
  EXPECT_EQ(tensor.tensor()[3][17].item<float>(), 0.0F);
  tensor.tensor().fill_(2.5);
  const std::int64_t filled = resident_bytes();
  tensor.release();
  EXPECT_LT(resident_bytes(), filled - kMany * 3);
  EXPECT_EQ(tensor.tensor().min().item<float>(), 2.5F);
}

TEST(ClipTensor, LiesInMemoryUpToTheLimit) {
  const testing::TemporaryFolder folder;
  EXPECT_FALSE(ClipTensor({10, 10}, 400, folder.path()).in_file());
  EXPECT_TRUE(ClipTensor({10, 10}, 399, folder.path()).in_file());
  EXPECT_THROW(ClipTensor({10, 10}, 0, folder / "missing"), Error);
}

}  // namespace
}  // namespace unianimate::pipeline
