#include "unianimate/media/film/still_pictures.h"

#include <gmock/gmock.h>

#include "media/test_images.h"
#include "media/test_videos.h"
#include "support/temporary_folder.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/exif.h"
#include "unianimate/media/pictures/further_pictures.h"
#include "unianimate/media/pictures/image_reader.h"

namespace unianimate {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using testing::error_of;
using ::testing::HasSubstr;
using testing::little_endian;

/// All tests of this program read pictures as the program unianimate does.
class AllKindsOfPictures : public ::testing::Environment {
 public:
  void SetUp() override { read_further_pictures(); }
};
const ::testing::Environment* const kAllKinds = ::testing::AddGlobalTestEnvironment(new AllKindsOfPictures);

/// 24 bits a pixel, rows from the bottom.
std::string bmp_of(const Image& image) {
  const auto width = static_cast<std::uint32_t>(image.width);
  const auto height = static_cast<std::uint32_t>(image.height);
  std::string pixels;
  for (int y = image.height - 1; y >= 0; --y) {
    for (int x = 0; x < image.width; ++x) {
      const auto pixel = image.row(y).subspan(static_cast<std::size_t>(x) * 3, 3);
      for (const std::size_t channel : {2, 1, 0}) pixels.push_back(static_cast<char>(pixel[channel]));
    }
    pixels.resize((pixels.size() + 3) / 4 * 4);
  }
  return "BM" + little_endian(static_cast<std::uint32_t>(54 + pixels.size()), 4) + little_endian(0, 4) +
         little_endian(54, 4) + little_endian(40, 4) + little_endian(width, 4) + little_endian(height, 4) +
         little_endian(1, 2) + little_endian(24, 2) + std::string(24, '\0') + pixels;
}

/// RGB in one strip, uncompressed.
std::string tiff_of(const Image& image, std::uint32_t orientation) {
  const auto width = static_cast<std::uint32_t>(image.width);
  const auto height = static_cast<std::uint32_t>(image.height);
  const auto bytes = static_cast<std::uint32_t>(image.pixels.size());
  const std::vector<std::array<std::uint32_t, 3>> entries{
      {0x100, 1, width}, {0x101, 1, height},      {0x102, 3, 0}, {0x103, 1, 1},      {0x106, 1, 2},
      {0x111, 1, 8},     {0x112, 1, orientation}, {0x115, 1, 3}, {0x116, 1, height}, {0x117, 1, bytes}};
  const std::uint32_t directory = 8 + (bytes + 1) / 2 * 2;
  const auto behind = static_cast<std::uint32_t>(directory + 2 + entries.size() * 12 + 4);
  std::string file = "II*" + std::string(1, '\0') + little_endian(directory, 4);
  file.append(image.pixels.begin(), image.pixels.end());
  file.resize(directory);
  file += little_endian(static_cast<std::uint32_t>(entries.size()), 2);
  for (const auto& [tag, count, value] : entries) {
    const bool is_elsewhere = count > 1;
    file += little_endian(tag, 2) + little_endian(is_elsewhere ? 3 : 4, 2) + little_endian(count, 4) +
            little_endian(is_elsewhere ? behind : value, 4);
  }
  return file + little_endian(0, 4) + little_endian(8, 2) + little_endian(8, 2) + little_endian(8, 2);
}

TEST(OtherKinds, BmpAndTiffAreRead) {
  const testing::TemporaryFolder folder;
  const Image image = testing::waves(19, 12, 3);
  testing::write_file(folder / "a.jpg", bmp_of(image));
  EXPECT_EQ(read_image_header(folder / "a.jpg").format, ImageFormat::kBmp);
  EXPECT_EQ(read_image(folder / "a.jpg"), image);
  testing::write_file(folder / "a.tiff", tiff_of(image, 1));
  EXPECT_EQ(read_image_header(folder / "a.tiff").format, ImageFormat::kTiff);
  EXPECT_EQ(read_image(folder / "a.tiff"), image);
  testing::write_file(folder / "turned.tiff", tiff_of(image, 6));
  EXPECT_EQ(read_image_header(folder / "turned.tiff").width, 12);
  EXPECT_EQ(read_image(folder / "turned.tiff"), apply_orientation(image, 6));
}

TEST(OtherKinds, OfAGifTheFirstPictureIsRead) {
  const testing::TemporaryFolder folder;
  const Image first = testing::quarters(32, 24);
  const auto writer = open_video_writer(folder / "a.gif", {32, 24, 10});
  writer->write(first);
  writer->write(Image(32, 24));
  writer->finish();
  const ReferencePicture gif = read_reference(folder / "a.gif", std::nullopt);
  testing::expect_quarters(gif.image, testing::kQuarters, 4);
  EXPECT_THAT(gif.notes, Contains(HasSubstr("is an animation")));
  EXPECT_FALSE(is_picture(folder / "a.gif")) << "it is rather a motion";
}

TEST(OtherKinds, AreRefusedWhereNoDecoderWasHandedIn) {
  const testing::TemporaryFolder folder;
  testing::write_file(folder / "a.bmp", bmp_of(testing::waves(4, 4, 3)));
  testing::write_file(folder / "empty.png", "");
  const FurtherDecoder* const decoder = set_further_decoder(nullptr);
  const auto message = [&](const char* name) {
    return error_of(ErrorKind::kInput, [&] { read_image(folder / name); });
  };
  EXPECT_THAT(message("a.bmp"),
              AllOf(HasSubstr("a.bmp is a BMP picture"), HasSubstr("reads JPEG, PNG, WebP, HEIC and AVIF only")));
  EXPECT_EQ(error_of(ErrorKind::kInput, [&] { read_image_header(folder / "a.bmp"); }), message("a.bmp"));
  EXPECT_THAT(message("empty.png"), HasSubstr("a JPEG, PNG, WebP, HEIC or AVIF picture"));
  EXPECT_FALSE(is_picture(folder / "a.bmp"));
  set_further_decoder(decoder);
  EXPECT_TRUE(is_picture(folder / "a.bmp"));
}

}  // namespace
}  // namespace unianimate
