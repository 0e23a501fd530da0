#include "unianimate/media/pictures/image_writer.h"

#include <gmock/gmock.h>

#include "media/test_images.h"
#include "support/temporary_folder.h"
#include "unianimate/core/written_mark.h"
#include "unianimate/media/pictures/image_reader.h"

namespace unianimate {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

TEST(WritePng, ReadsBackEqual) {
  const testing::TemporaryFolder folder;
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 9}, {9, 1}, {67, 45}}) {
    const Image image = testing::noise(width, height, 3);
    write_png(folder / "a.png", image);
    EXPECT_EQ(read_image(folder / "a.png"), image);
  }
  EXPECT_EQ(testing::listing(folder.path()), std::set<std::string>{"a.png"});
}

TEST(WritePng, CarriesAMark) {
  const testing::TemporaryFolder folder;
  const Image image = testing::noise(7, 5, 3);
  write_png(folder / "a.png", image);
  EXPECT_EQ(written_mark(folder / "a.png"), kPictureMark);
  testing::write_file(folder / "b.png", encode_png(image));
  EXPECT_EQ(written_mark(folder / "b.png"), "");
  testing::write_file(folder / "c.png", encode_png(image, kMark));
  EXPECT_EQ(written_mark(folder / "c.png"), kMark);
  EXPECT_EQ(read_image(folder / "c.png"), image);
}

TEST(WriteJpeg, CarriesTheMarkThatIsGiven) {
  const testing::TemporaryFolder folder;
  testing::write_file(folder / "a.jpg", encode_jpeg(Image(4, 4), 95, kPosePictureMark));
  EXPECT_EQ(written_mark(folder / "a.jpg"), kPosePictureMark);
  testing::write_file(folder / "b.jpg", encode_jpeg(Image(4, 4)));
  EXPECT_EQ(written_mark(folder / "b.jpg"), "");
  testing::write_file(folder / "c.jpg", encode_jpeg(Image(4, 4), 95, "somebody's holiday"));
  EXPECT_EQ(written_mark(folder / "c.jpg"), "");
}

TEST(WriteJpeg, ReadsBackAlike) {
  const testing::TemporaryFolder folder;
  const Image image = testing::waves(67, 45, 0);
  write_jpeg(folder / "a.jpg", image);
  EXPECT_EQ(read_image_header(folder / "a.jpg").format, ImageFormat::kJpeg);
  EXPECT_GT(testing::psnr(read_image(folder / "a.jpg"), image), 35);
}

TEST(WriteJpeg, RefusesWhatJpegCannotHold) {
  EXPECT_THAT(error_of(ErrorKind::kUsage, [] { encode_jpeg(Image(2, 2), 101); }), HasSubstr("quality"));
  EXPECT_THAT(error_of(ErrorKind::kUsage, [] { encode_jpeg(Image(70000, 1)); }), HasSubstr("70000×1"));
}

TEST(ConcatenateColumns, PutsPicturesSideBySide) {
  const Image images[] = {testing::noise(3, 5, 1), testing::noise(1, 5, 2), testing::noise(4, 5, 3)};
  const Image strip = concatenate_columns(images);
  ASSERT_EQ(strip.width, 8);
  ASSERT_EQ(strip.height, 5);
  for (int y = 0; y < 5; ++y) {
    EXPECT_TRUE(std::ranges::equal(strip.row(y).first(9), images[0].row(y)));
    EXPECT_TRUE(std::ranges::equal(strip.row(y).subspan(9, 3), images[1].row(y)));
    EXPECT_TRUE(std::ranges::equal(strip.row(y).last(12), images[2].row(y)));
  }
}

TEST(ConcatenateColumns, RefusesNothingAndUnequalHeights) {
  const Image images[] = {Image(3, 5), Image(3, 4)};
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { concatenate_columns(images); }), HasSubstr("equally high"));
  error_of(ErrorKind::kUsage, [] { concatenate_columns({}); });
}

}  // namespace
}  // namespace unianimate
