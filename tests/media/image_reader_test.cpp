#include "unianimate/media/image_reader.h"

#include <gmock/gmock.h>

#include "media/test_images.h"
#include "support/temporary_folder.h"

namespace unianimate {
namespace {

using testing::test_data;

// NAME beside NAME.expected.png, which holds what Pillow 13 makes of it: exif_transpose, then convert("RGB"); for
// 16-bit grey, which Pillow clips, the high bytes.
class ReadImage : public ::testing::TestWithParam<std::string> {};

TEST_P(ReadImage, GivesPillowsPixels) {
  const Image image = read_image(test_data("media/" + GetParam()));
  const Image expected = read_image(test_data("media/" + GetParam() + ".expected.png"));
  EXPECT_EQ(image.width, expected.width);
  EXPECT_EQ(image.height, expected.height);
  EXPECT_EQ(image.pixels, expected.pixels);
}

TEST_P(ReadImage, HeaderTellsTheSize) {
  const Image image = read_image(test_data("media/" + GetParam()));
  const ImageHeader header = read_image_header(test_data("media/" + GetParam()));
  EXPECT_EQ(header.width, image.width);
  EXPECT_EQ(header.height, image.height);
}

INSTANTIATE_TEST_SUITE_P(Jpeg, ReadImage,
                         ::testing::Values("420.jpg", "progressive_422.jpg", "grey.jpg", "cmyk.jpg", "ycck.jpg",
                                           "one_pixel.jpg"));
INSTANTIATE_TEST_SUITE_P(Png, ReadImage,
                         ::testing::Values("rgb16.png", "grey16.png", "grey_alpha16.png", "grey1.png", "grey_alpha.png",
                                           "rgba.png", "palette.png", "palette_transparent.png", "rgb_transparent.png",
                                           "interlaced.png", "rotated.png"));
INSTANTIATE_TEST_SUITE_P(Webp, ReadImage,
                         ::testing::Values("lossy.webp", "lossy_alpha.webp", "lossless_alpha.webp",
                                           "lossless_rotated.webp"));

// orientationN.jpg show the same upright picture of 3×2 coloured squares, stored in the eight EXIF orientations.
class Orientation : public ::testing::TestWithParam<int> {};

TEST_P(Orientation, PictureStandsUpright) {
  constexpr int kSquare = 8;
  constexpr int kColors[2][3][3] = {{{250, 20, 20}, {20, 250, 20}, {20, 20, 250}},
                                    {{250, 250, 20}, {20, 250, 250}, {250, 20, 250}}};
  const auto path = test_data("media/orientation" + std::to_string(GetParam()) + ".jpg");
  const Image image = read_image(path);
  const ImageHeader header = read_image_header(path);
  EXPECT_EQ(header.format, ImageFormat::kJpeg);
  ASSERT_EQ(image.width, 3 * kSquare);
  ASSERT_EQ(image.height, 2 * kSquare);
  EXPECT_EQ(header.width, image.width);
  EXPECT_EQ(header.height, image.height);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const auto& color = kColors[y / kSquare][x / kSquare];
      const auto pixel = image.row(y).subspan(static_cast<std::size_t>(x) * 3, 3);
      for (std::size_t channel = 0; channel < 3; ++channel) EXPECT_NEAR(pixel[channel], color[channel], 12);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Orientation, ::testing::Range(1, 9));

TEST(ReadImageFile, ContentDecidesNotTheSuffix) {
  const testing::TemporaryFolder folder;
  std::filesystem::copy_file(test_data("media/420.jpg"), folder / "picture.png");
  EXPECT_EQ(read_image_header(folder / "picture.png").format, ImageFormat::kJpeg);
  EXPECT_EQ(read_image(folder / "picture.png"), read_image(test_data("media/420.jpg")));
}

TEST(ReadImageFile, FromMemoryIsTheSame) {
  const std::string bytes = testing::file_content(test_data("media/420.jpg"));
  EXPECT_EQ(decode_image(std::as_bytes(std::span(bytes)), "memory"), read_image(test_data("media/420.jpg")));
}

}  // namespace
}  // namespace unianimate
