#include "unianimate/core/written_mark.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_folder.h"

namespace unianimate {
namespace {

std::string mark_of(const std::string& content) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "file", std::ios::binary) << content;
  return written_mark(folder / "file");
}

/// What pictures and videos carry is tried where they are written.
TEST(WrittenMark, IsTheBeginningOfATextFile) {
  EXPECT_EQ(mark_of("{\"format\":\"unianimate-poses\",\"version\":1}"), kMark);
  EXPECT_EQ(mark_of("{\"version\":1.3,\"generator\":\"unianimate\",\"people\":[]}"), kMark);
  EXPECT_EQ(mark_of("{\n  \"generator\": \"unianimate\",\n  \"frames\": 3\n}"), kMark);
  EXPECT_EQ(mark_of(std::string(kMarkdownMark) + "# Measured quality\n"), kMark);
  EXPECT_EQ(mark_of(std::string(kUnfinishedMark) + "\nMore.\n"), kUnfinishedMark);
}

TEST(WrittenMark, NothingElseHasOne) {
  const std::string gif_comment = "GIF89a\x21\xFE";
  for (const std::string& content :
       {std::string(), std::string("unianimate"), std::string("My notes on unianimate\n"), std::string("{}"),
        std::string(R"({"people":[],"generator":"unianimate"})"), std::string("\x89PNG\r\n\x1A\n"),
        std::string("\xFF\xD8\xFF\xE0"),
        std::string("\0\0\0\x18"
                    "ftypisom",
                    12),
        std::string("\x1A\x45\xDF\xA3"
                    "COMMENT\x44\x87"),
        gif_comment, gif_comment + std::string("\0;", 2), gif_comment + std::string("\x0Anianimateu\0;", 13)}) {
    EXPECT_EQ(mark_of(content), "") << content;
  }
  const testing::TemporaryFolder folder;
  EXPECT_EQ(written_mark(folder.path()), "");
  EXPECT_EQ(written_mark(folder / "none"), "");
}

TEST(WrittenMark, OfAGifStandsAtItsEnd) {
  EXPECT_EQ(mark_of("GIF89a......\x21\xFE\x0Aunianimate" + std::string("\0;", 2)), kMark);
  EXPECT_EQ(mark_of("GIF89a......\x21\xFE\x09unianimate" + std::string("\0;", 2)), "");
  EXPECT_EQ(mark_of("GIF89a......\x21\xFE\x0Aunianimate" + std::string("\0;;", 3)), "");
}

/// Sizes that lie must not make it read far or run forever.
TEST(WrittenMark, OfDamagedVideosIsNone) {
  const auto box = [](std::uint32_t size, const std::string& type) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
    return bytes + type;
  };
  EXPECT_EQ(mark_of(box(8, "ftyp") + box(0xFFFFFFFF, "moov") + box(0xFFFFFFFF, "udta") + "\251cmt"), "");
  EXPECT_EQ(mark_of(box(8, "ftyp") + box(0, "moov")), "");
  EXPECT_EQ(mark_of(box(8, "ftyp") + box(3, "free") + box(40, "moov")), "");
  EXPECT_EQ(mark_of(box(8, "ftyp") + box(100, "moov") + box(92, "udta") + "\251cmt" + box(0xFFFFFFF0, "data")), "");
}

}  // namespace
}  // namespace unianimate
