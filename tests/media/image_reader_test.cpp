#include "unianimate/media/pictures/image_reader.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>

#include "media/test_images.h"
#include "support/temporary_folder.h"
#include "unianimate/media/pictures/exif.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/media/pictures/transparency.h"

namespace unianimate {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::little_endian;
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

// 3×2 squares in the colours of orientationN.jpg, each 16 pixels wide. What is turned is so by the file's own
// structure, and says it again in EXIF.
class Heif : public ::testing::TestWithParam<std::pair<const char*, ImageFormat>> {};

TEST_P(Heif, StandsUpright) {
  constexpr int kSquare = 16;
  constexpr int kColors[2][3][3] = {{{250, 20, 20}, {20, 250, 20}, {20, 20, 250}},
                                    {{250, 250, 20}, {20, 250, 250}, {250, 20, 250}}};
  const auto path = test_data(std::string("media/") + GetParam().first);
  const Image image = read_image(path);
  const ImageHeader header = read_image_header(path);
  EXPECT_EQ(header.format, GetParam().second);
  EXPECT_EQ(header.width, 3 * kSquare);
  EXPECT_EQ(header.height, 2 * kSquare);
  ASSERT_EQ(image.width, 3 * kSquare);
  ASSERT_EQ(image.height, 2 * kSquare);
  EXPECT_TRUE(is_picture(path));
  for (int y = 0; y < 2; ++y) {
    for (int x = 0; x < 3; ++x) {
      const auto pixel = image.row(y * kSquare + 8).subspan(static_cast<std::size_t>(x * kSquare + 8) * 3, 3);
      for (std::size_t channel = 0; channel < 3; ++channel) EXPECT_NEAR(pixel[channel], kColors[y][x][channel], 3);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Heif,
                         ::testing::Values(std::pair("heic_upright.heic", ImageFormat::kHeic),
                                           std::pair("heic_turned.heic", ImageFormat::kHeic),
                                           std::pair("heic_10_bits.heic", ImageFormat::kHeic),
                                           std::pair("heic_alpha.heic", ImageFormat::kHeic),
                                           std::pair("avif_mirrored.avif", ImageFormat::kAvif),
                                           std::pair("avif_alpha.avif", ImageFormat::kAvif)));

std::array<int, 3> pixel_of(const Image& image, int x, int y) {
  const auto pixel = image.row(y).subspan(static_cast<std::size_t>(x) * 3, 3);
  return {pixel[0], pixel[1], pixel[2]};
}

// The squares in the middle are wholly transparent.
TEST(Reference, ABackgroundShowsWhereThePictureIsTransparent) {
  for (const char* name : {"heic_alpha.heic", "avif_alpha.avif"}) {
    const auto path = test_data(std::string("media/") + name);
    const ReferencePicture stored = read_reference(path, std::nullopt);
    EXPECT_EQ(stored.image, read_image(path));
    EXPECT_THAT(stored.notes,
                ElementsAre(HasSubstr("is transparent in parts, where the colours show that are stored")));
    const ReferencePicture chosen = read_reference(path, Color{1, 2, 3});
    EXPECT_THAT(pixel_of(chosen.image, 24, 8), ElementsAre(1, 2, 3));
    EXPECT_EQ(pixel_of(chosen.image, 8, 8), pixel_of(stored.image, 8, 8));
    EXPECT_THAT(chosen.notes, ElementsAre(HasSubstr("is transparent in parts, where the background is #010203")));
  }
}

// Without a background the pixels are Pillow's, which every one of these has a file for; with one, opaque pixels stay.
TEST(Reference, EveryKindOfTransparencyIsSeen) {
  for (const char* name : {"rgba.png", "grey_alpha.png", "grey_alpha16.png", "palette_transparent.png",
                           "rgb_transparent.png", "lossy_alpha.webp", "lossless_alpha.webp"}) {
    const auto path = test_data(std::string("media/") + name);
    const ReferencePicture stored = read_reference(path, std::nullopt);
    EXPECT_EQ(stored.image, read_image(path)) << name;
    EXPECT_EQ(stored.notes.size(), 1) << name;
    EXPECT_NE(read_reference(path, Color{255, 255, 255}).image, read_reference(path, Color{}).image) << name;
  }
  for (const char* name : {"420.jpg", "rgb16.png", "palette.png", "lossy.webp", "interlaced.png"}) {
    const auto path = test_data(std::string("media/") + name);
    const ReferencePicture opaque = read_reference(path, Color{255, 0, 0});
    EXPECT_EQ(opaque.image, read_image(path)) << name;
    EXPECT_THAT(opaque.notes, IsEmpty()) << name;
  }
}

TEST(Reference, MixesWhatIsHalfTransparent) {
  std::vector<std::uint8_t> pixels{200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 128};
  Transparency transparency(Color{0, 100, 250});
  const Image image = transparency.flatten(pixels, 3, 1);
  EXPECT_THAT(image.pixels, ElementsAre(200, 100, 0, 0, 100, 250, 100, 100, 125));
  EXPECT_TRUE(transparency.found());
}

TEST(Reference, OfAnAnimationTheFirstPictureIsTakenAndTold) {
  const ReferencePicture webp = read_reference(test_data("media/animated.webp"), std::nullopt);
  EXPECT_EQ(webp.image.width, 23);
  EXPECT_EQ(webp.image.height, 17);
  EXPECT_THAT(webp.notes, Contains(HasSubstr("is an animation, of which the first picture is taken")));
}

TEST(Colors, AreNamedOrHexadecimal) {
  EXPECT_EQ(parse_color("White"), (Color{255, 255, 255}));
  EXPECT_EQ(parse_color("green"), (Color{0, 128, 0}));
  EXPECT_EQ(parse_color("#0aFf10"), (Color{10, 255, 16}));
  EXPECT_EQ(color_text(Color{10, 255, 16}), "#0aff10");
  for (const char* text : {"", "#fff", "#12345g", "#+12345", "0aff10", "purplish"}) {
    EXPECT_THAT(testing::error_of(ErrorKind::kUsage, [&] { parse_color(text); }),
                HasSubstr("a colour is #RRGGBB or one"));
  }
}

/// An EXIF block whose one entry is the orientation.
std::vector<std::uint8_t> exif(bool big_endian, int type, std::uint32_t count, std::vector<std::uint8_t> value) {
  std::vector<std::uint8_t> bytes;
  const auto put = [&](std::uint32_t number, int size) {
    for (int i = 0; i < size; ++i)
      bytes.push_back(static_cast<std::uint8_t>(number >> 8 * (big_endian ? size - 1 - i : i)));
  };
  const char order = big_endian ? 'M' : 'I';
  bytes = {static_cast<std::uint8_t>(order), static_cast<std::uint8_t>(order)};
  put(42, 2);
  put(8, 4);
  put(1, 2);
  put(0x0112, 2);
  put(static_cast<std::uint32_t>(type), 2);
  put(count, 4);
  value.resize(4);
  bytes.insert(bytes.end(), value.begin(), value.end());
  put(0, 4);
  return bytes;
}

TEST(Exif, OrientationMayBeAnyInteger) {
  constexpr int kByte = 1;
  constexpr int kSignedByte = 6;
  for (const int type : {kByte, kSignedByte}) {
    EXPECT_EQ(exif_orientation(exif(false, type, 1, {6})), 6);
    EXPECT_EQ(exif_orientation(exif(true, type, 1, {6})), 6);
  }
  for (const int type : {3, 8}) {  // SHORT, SSHORT
    EXPECT_EQ(exif_orientation(exif(false, type, 1, {6, 0})), 6);
    EXPECT_EQ(exif_orientation(exif(true, type, 1, {0, 6})), 6);
  }
  for (const int type : {4, 9}) {  // LONG, SLONG
    EXPECT_EQ(exif_orientation(exif(false, type, 1, {6, 0, 0, 0})), 6);
    EXPECT_EQ(exif_orientation(exif(true, type, 1, {0, 0, 0, 6})), 6);
  }
}

TEST(Exif, OrientationOfOtherTypesOrValuesIsUpright) {
  for (const int type : {0, 2, 5, 7, 10, 11, 12, 13, 255})
    EXPECT_EQ(exif_orientation(exif(false, type, 1, {6})), 1) << type;
  EXPECT_EQ(exif_orientation(exif(false, 4, 2, {6})), 1) << "an offset, not a value";
  EXPECT_EQ(exif_orientation(exif(false, 3, 0, {6})), 1);
  EXPECT_EQ(exif_orientation(exif(false, 4, 1, {0, 0, 0, 6})), 1);
  EXPECT_EQ(exif_orientation(exif(false, 9, 1, {0xff, 0xff, 0xff, 0xff})), 1);
  EXPECT_EQ(exif_orientation(exif(false, 3, 1, {9})), 1);
  std::vector<std::uint8_t> cut = exif(true, 3, 1, {0, 6});
  cut.resize(12);
  EXPECT_EQ(exif_orientation(cut), 1);
}

// As some phones write it.
TEST(Exif, ALongTurnsEveryFormat) {
  const std::string upright = testing::file_content(test_data("media/orientation6.jpg"));
  const std::string as_short("\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00", 12);
  const std::string as_long("\x01\x12\x00\x04\x00\x00\x00\x01\x00\x00\x00\x06", 12);
  const std::size_t place = upright.find(as_short);
  ASSERT_NE(place, std::string::npos);
  std::string changed = upright;
  changed.replace(place, as_long.size(), as_long);
  EXPECT_EQ(decode_image(std::as_bytes(std::span(changed)), "long"), read_image(test_data("media/orientation6.jpg")));
}

// As ImageMagick keeps EXIF data in a PNG file; the second is deflated, in one stored block.
TEST(Exif, APngMayHoldItAsText) {
  std::string digits;
  for (const std::uint8_t byte : exif(false, 3, 1, {6, 0})) digits += fmt::format("{:02x}", byte);
  const std::string profile = "\nexif\n      38\n" + digits.substr(0, 40) + "\n" + digits.substr(40) + "\n";
  const auto length = static_cast<std::uint32_t>(profile.size());
  std::uint32_t low = 1;
  std::uint32_t high = 0;
  for (const char c : profile) {
    low = (low + static_cast<unsigned char>(c)) % 65521;
    high = (high + low) % 65521;
  }
  const std::string deflated = "\x78\x01\x01" + little_endian(length, 2) + little_endian(~length, 2) + profile +
                               testing::big_endian(high << 16 | low, 4);
  const Image stored = testing::noise(5, 3, 2);
  const std::string png = encode_png(stored);
  const auto picture_with = [&](const std::string& type, const std::string& data) {
    std::string text = png;
    text.insert(33,
                testing::big_endian(static_cast<std::uint32_t>(data.size()), 4) + type + data + std::string(4, '\0'));
    return decode_image(std::as_bytes(std::span(text)), "text.png");
  };
  const std::string keyword = std::string("Raw profile type exif") + '\0';
  EXPECT_EQ(picture_with("tEXt", keyword + profile), apply_orientation(stored, 6));
  EXPECT_EQ(picture_with("zTXt", keyword + '\0' + deflated), apply_orientation(stored, 6));
  EXPECT_EQ(picture_with("zTXt", keyword + '\0' + deflated.substr(0, 30)), stored);
  EXPECT_EQ(picture_with("tEXt", keyword), stored);
  EXPECT_EQ(picture_with("tEXt", std::string("Comment") + '\0' + profile), stored);
}

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
