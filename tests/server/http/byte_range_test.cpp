#include "unianimate/server/http/byte_range.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace unianimate::http {
namespace {

using Result = std::variant<WholeContent, ByteRange, NoSuchBytes>;

struct RangeCase {
  std::string header;
  std::uint64_t size;
  Result expected;
};

TEST(ByteRanges, FollowTheStandard) {
  const std::vector<RangeCase> cases{
      {"bytes=0-499", 10'000, ByteRange{0, 499}},
      {"bytes=500-999", 10'000, ByteRange{500, 999}},
      {"bytes=-500", 10'000, ByteRange{9'500, 9'999}},
      {"bytes=9500-", 10'000, ByteRange{9'500, 9'999}},
      {"bytes=0-0", 10'000, ByteRange{0, 0}},
      {"bytes=-1", 10'000, ByteRange{9'999, 9'999}},
      {"Bytes=0-0", 1, ByteRange{0, 0}},
      {"bytes=0-20000", 10'000, ByteRange{0, 9'999}},
      {"bytes=-20000", 10'000, ByteRange{0, 9'999}},
      {"bytes=9999-9999", 10'000, ByteRange{9'999, 9'999}},
      {"bytes=0-99999999999999999999999", 10'000, ByteRange{0, 9'999}},
      {"bytes=-99999999999999999999999", 10'000, ByteRange{0, 9'999}},
      {"bytes=10000-", 10'000, NoSuchBytes{}},
      {"bytes=99999999999999999999999-", 10'000, NoSuchBytes{}},
      {"bytes=-0", 10'000, NoSuchBytes{}},
      {"bytes=0-", 0, NoSuchBytes{}},
      {"bytes=-5", 0, NoSuchBytes{}},
      {"bytes=0-0,-1", 10'000, WholeContent{}},
      {"bytes=500-600,601-999", 10'000, WholeContent{}},
      {"bytes=5-4", 10'000, WholeContent{}},
      {"bytes=-", 10'000, WholeContent{}},
      {"bytes=", 10'000, WholeContent{}},
      {"bytes=a-b", 10'000, WholeContent{}},
      {"bytes=1 -2", 10'000, WholeContent{}},
      {"bytes=--1", 10'000, WholeContent{}},
      {"bytes=+1-2", 10'000, WholeContent{}},
      {"bytes 0-1", 10'000, WholeContent{}},
      {"lines=0-1", 10'000, WholeContent{}},
      {"", 10'000, WholeContent{}},
  };
  for (const RangeCase& one : cases) {
    EXPECT_EQ(parse_byte_range(one.header, one.size), one.expected) << one.header << " of " << one.size;
  }
}

}  // namespace
}  // namespace unianimate::http
