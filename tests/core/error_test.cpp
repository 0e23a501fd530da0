#include "unianimate/core/error.h"

#include <gtest/gtest.h>

namespace unianimate {
namespace {

TEST(Printable, KeepsTextAndEscapesControlCharactersAndBrokenUtf8) {
  EXPECT_EQ(printable("füße 人"), "füße 人");
  EXPECT_EQ(printable("a\x1b[31m\n"), "a\\x1b[31m\\x0a");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");
}

TEST(Printable, CutsLongText) {
  EXPECT_EQ(printable("abcdef", 3), "abc…");
}

TEST(ExitStatus, IsNeverSuccess) {
  for (const ErrorKind kind : {ErrorKind::kUsage, ErrorKind::kInput, ErrorKind::kEnvironment, ErrorKind::kCancelled}) {
    EXPECT_NE(exit_status(kind), 0);
  }
}

}  // namespace
}  // namespace unianimate
