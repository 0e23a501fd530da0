#include <gmock/gmock.h>

#include "media/test_images.h"
#include "support/temporary_folder.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate {
namespace {

using ::testing::AllOf;
using testing::error_of;
using testing::file_content;
using ::testing::HasSubstr;
using testing::test_data;

Image decode(const std::string& bytes, const ReadLimits& limits = {}) {
  return decode_image(std::as_bytes(std::span(bytes)), "hostile", limits);
}

std::string refusal(const std::string& bytes, const ReadLimits& limits = {}) {
  return error_of(ErrorKind::kInput, [&] { decode(bytes, limits); });
}

TEST(HostileImage, MissingFileFolderAndEmptyFileAreNamed) {
  const testing::TemporaryFolder folder;
  testing::write_file(folder / "empty.jpg", "");
  const auto message = [](const std::filesystem::path& path) {
    return error_of(ErrorKind::kInput, [&] { read_image(path); });
  };
  EXPECT_THAT(message(folder / "none.png"), AllOf(HasSubstr("none.png"), HasSubstr("No such file")));
  EXPECT_THAT(message(folder.path()), HasSubstr("is not a file"));
  EXPECT_THAT(message(folder / "empty.jpg"), AllOf(HasSubstr("empty.jpg"), HasSubstr("is empty")));
  EXPECT_THAT(message("/dev/zero"), HasSubstr("is not a file"));
}

TEST(HostileImage, TextIsNotAPicture) {
  EXPECT_THAT(
      refusal("Hello\x1b[31m, I am a text"),
      AllOf(HasSubstr("is not a JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF picture"), HasSubstr("Hello\\x1b")));
}

TEST(HostileImage, OtherKindsAreNamed) {
  EXPECT_THAT(refusal(std::string("\0\0\0\x20"
                                  "ftypisom\0\0\0\0",
                                  16)),
              HasSubstr("hostile is a video"));
  EXPECT_THAT(refusal(std::string("\x1a\x45\xdf\xa3", 4) + "webm"), HasSubstr("hostile is a video"));
  EXPECT_THAT(refusal("8BPS"), HasSubstr("hostile is a Photoshop picture, which is not read"));
  EXPECT_THAT(refusal(std::string("\0\0\0\x0cJXL \r\n", 10)), HasSubstr("hostile is a JPEG XL picture"));
}

TEST(HostileImage, FileOverTheLimitIsNotRead) {
  EXPECT_THAT(error_of(ErrorKind::kInput, [] { read_image(test_data("media/420.jpg"), {.max_file_bytes = 10}); }),
              HasSubstr("at most 10"));
}

TEST(HostileImage, ClaimOf30000x30000IsRefusedFromTheHeader) {
  std::string png = encode_png(testing::noise(2, 2, 1));
  png.replace(16, 8, testing::big_endian(30000, 4) + testing::big_endian(30000, 4));
  // The CRC of this IHDR.
  png.replace(29, 4, "\xe9\x45\x6f\xed");
  std::string jpeg = encode_jpeg(testing::noise(2, 2, 1));
  jpeg.replace(jpeg.find("\xff\xc0") + 5, 4, testing::big_endian(30000, 2) + testing::big_endian(30000, 2));
  std::string webp = file_content(test_data("media/lossless_alpha.webp"));
  // The canvas of VP8X holds width - 1 and height - 1 in 24 little-endian bits each; of VP8L, 14 bits each.
  const std::size_t bits = webp.find("VP8L") + 9;
  webp.replace(bits, 4, std::string("\xff\xff\xff\x1f"));
  for (const std::string& bytes : {png, jpeg}) EXPECT_THAT(refusal(bytes), HasSubstr("30000×30000"));
  EXPECT_THAT(refusal(webp), HasSubstr("16384×16384"));
}

TEST(HostileImage, PixelLimitIsInclusive) {
  const std::string png = encode_png(testing::noise(5, 4, 1));
  EXPECT_EQ(decode(png, {.max_pixels = 20}).width, 5);
  EXPECT_THAT(refusal(png, {.max_pixels = 19}), HasSubstr("at most 19"));
}

TEST(HostileImage, StillPicturesMayHave256Megapixels) {
  std::string bmp(26, '\0');
  bmp.replace(0, 2, "BM");
  const auto claim = [&bmp](std::uint32_t width, std::uint32_t height) {
    std::string claimed = bmp + std::string(28, '\0');
    claimed[14] = 40;
    for (std::size_t i = 0; i < 4; ++i) {
      claimed[18 + i] = static_cast<char>(width >> (8 * i));
      claimed[22 + i] = static_cast<char>(height >> (8 * i));
    }
    return error_of(ErrorKind::kInput, [&] { decode_image(std::as_bytes(std::span(claimed)), "large"); });
  };
  EXPECT_THAT(claim(16'000, 16'001), HasSubstr("16000×16001 pixels, but at most 256000000"));
  EXPECT_THAT(claim(16'000, 16'000), HasSubstr("cannot be decoded"));
}

// Its parameter set says 32768×32768, its header 48×32.
TEST(HostileImage, AHeicPictureIsNoLargerThanItSays) {
  EXPECT_THAT(refusal(file_content(test_data("media/heic_larger_inside.heic"))),
              HasSubstr("its coded pictures are larger than it says"));
}

TEST(HostileImage, TooManyScansAreRefused) {
  std::string jpeg = file_content(test_data("media/progressive_422.jpg"));
  const std::size_t scan = jpeg.find("\xff\xda");
  const std::size_t next = jpeg.find("\xff\xc4", scan);
  const std::string first_scan = jpeg.substr(scan, next - scan);
  std::string scans;
  for (int i = 0; i < 600; ++i) scans += first_scan;
  jpeg.insert(scan, scans);
  EXPECT_THAT(refusal(jpeg), HasSubstr("too many scans"));
}

class AnyPicture : public ::testing::TestWithParam<std::string> {
 protected:
  std::string bytes_ = file_content(test_data("media/" + GetParam()));
};

TEST_P(AnyPicture, CutShortAnywhereIsRefused) {
  for (std::size_t length = 0; length < bytes_.size(); ++length) {
    EXPECT_FALSE(refusal(bytes_.substr(0, length)).empty()) << length;
  }
}

TEST_P(AnyPicture, OneDamagedByteIsAnErrorOrAPicture) {
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string damaged = bytes_;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      try {
        const Image image = decode(damaged, {.max_pixels = 1'000'000});
        EXPECT_EQ(image.pixels.size(), image.row_bytes() * static_cast<std::size_t>(image.height));
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInput);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, AnyPicture,
                         ::testing::Values("420.jpg", "progressive_422.jpg", "cmyk.jpg", "orientation6.jpg",
                                           "palette_transparent.png", "interlaced.png", "rotated.png", "lossy.webp",
                                           "lossless_rotated.webp"));

class AnyHeif : public AnyPicture {};

TEST_P(AnyHeif, OneDamagedByteIsAnErrorOrAPicture) {
  for (std::size_t i = 0; i < bytes_.size(); i += 3) {
    std::string damaged = bytes_;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x81);
    try {
      EXPECT_LE(decode(damaged, {.max_pixels = 1'000'000}).pixels.size(), 3'000'000U);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
    }
  }
}

TEST_P(AnyHeif, CutShortItIsAnErrorOrAPicture) {
  for (std::size_t length = 0; length < bytes_.size(); length += 7) {
    try {
      EXPECT_EQ(decode(bytes_.substr(0, length)).width, 48);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, AnyHeif,
                         ::testing::Values("heic_turned.heic", "heic_alpha.heic", "avif_mirrored.avif",
                                           "avif_alpha.avif"));

}  // namespace
}  // namespace unianimate
