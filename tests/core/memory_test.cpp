#include "unianimate/core/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "unianimate/core/error.h"

// Sanitizers have allocators of their own.
#if defined(__SANITIZE_ADDRESS__)
#define UNIANIMATE_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNIANIMATE_SANITIZED
#endif
#endif

namespace unianimate {
namespace {

TEST(ParseBytes, ReadsTheUnitsPeopleWrite) {
  EXPECT_EQ(parse_bytes("9GB", "budget"), 9'000'000'000);
  EXPECT_EQ(parse_bytes("512 MiB", "budget"), 512LL << 20);
  EXPECT_EQ(parse_bytes("1.5G", "budget"), 3LL << 29);
  EXPECT_EQ(parse_bytes("123", "budget"), 123);
}

TEST(ParseBytes, RefusesTheRestNamingTheOption) {
  for (const char* text : {"", "GB", "-1GB", "1 parsec", "nan", "1e300GB", "inf"}) {
    try {
      parse_bytes(text, "--memory-budget");
      FAIL() << "accepted '" << text << "'";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("--memory-budget"), std::string::npos);
    }
  }
}

TEST(PeakMemory, SeesAnAllocationThatIsGoneAgain) {
  reset_peak_memory();
  const std::int64_t before = peak_resident_bytes();
  { const std::vector<char> block(64 << 20, 1); }
  EXPECT_GE(peak_resident_bytes(), before + (60 << 20));
}

#ifndef UNIANIMATE_SANITIZED
TEST(FreedMemory, GoesBackToTheSystem) {
  constexpr std::size_t kBlock = 16 << 10;
  constexpr std::size_t kBlocks = 6400;
  std::vector<std::unique_ptr<char[]>> blocks;
  for (std::size_t i = 0; i < kBlocks; ++i) {
    blocks.push_back(std::make_unique<char[]>(kBlock));
    std::fill_n(blocks.back().get(), kBlock, 1);
  }
  // The last one stays, above the others.
  blocks.erase(blocks.begin(), blocks.end() - 1);
  const std::int64_t before = resident_bytes();
  release_freed_memory();
  EXPECT_LE(resident_bytes(), before - static_cast<std::int64_t>(kBlock * kBlocks / 2));
}
#endif

TEST(FormatBytes, UsesDecimalUnits) {
  EXPECT_EQ(format_bytes(8'712'000'000), "8.71 GB");
  EXPECT_EQ(format_bytes(12), "12 bytes");
}

}  // namespace
}  // namespace unianimate
