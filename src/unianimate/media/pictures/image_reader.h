// Pictures from files: JPEG, PNG, WebP, HEIC and AVIF, told apart by their content, never by their name; GIF, BMP and
// TIFF where a decoder for them was handed in, see further_pictures.h.
//
// The pixels are those of the published code's Image.open(path).convert("RGB"), with one wanted difference: an EXIF
// orientation is applied, so that pictures stand upright as viewers show them. In detail:
// - JPEG is decoded as libjpeg-turbo does by default (islow DCT, fancy upsampling); CMYK and YCCK become RGB by
//   Pillow's formula, inverted as Adobe writes them;
// - PNG with 16 bits a channel keeps the high byte (Pillow clips 16-bit grey instead, which is of no use here);
// - HEIC and AVIF are turned as they say themselves (their EXIF orientation repeats that), 10 and 12 bits become 8;
// - alpha and colour keys are dropped without compositing, unless a background is given; colour profiles and gamma are
//   ignored;
// - of a file of several pictures, animations too, the first is taken: an animated PNG's still picture, HEIC's primary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/media/pictures/color.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate {

/// Bounds that are checked before memory is taken.
struct ReadLimits {
  std::int64_t max_pixels = 64'000'000;
  std::int64_t max_file_bytes = std::int64_t{512} << 20;
};

/// Of pictures that stand alone; what comes in numbers keeps to ReadLimits' defaults.
inline constexpr ReadLimits kStillLimits{.max_pixels = 256'000'000};

enum class ImageFormat { kJpeg, kPng, kWebp, kHeic, kAvif, kGif, kBmp, kTiff };
/// "JPEG", "PNG", …
std::string_view image_format_name(ImageFormat format);

/// Size as read_image() gives it, that is after the EXIF orientation.
struct ImageHeader {
  ImageFormat format = ImageFormat::kPng;
  int width = 0;
  int height = 0;
};

/// The whole picture. Throws Error(kInput), naming the path, for a file that is missing, empty, cut short, damaged, of
/// another kind, which it names, or over the limits.
Image read_image(const std::filesystem::path& path, const ReadLimits& limits = kStillLimits);

/// The picture of a person, and what may be other than meant, one sentence each.
struct ReferencePicture {
  Image image;
  std::vector<std::string> notes;
};

/// As read_image(), but where the picture is transparent `background` shows; without one what is stored beneath. Notes
/// tell of transparency, and of a file that holds more than this picture.
ReferencePicture read_reference(const std::filesystem::path& path, const std::optional<Color>& background);

/// Kind and size alone, without decoding: for checks before long work. Throws as read_image() does for what shows in
/// the header.
ImageHeader read_image_header(const std::filesystem::path& path, const ReadLimits& limits = kStillLimits);

/// Whether the file begins as a picture does that is read here; false where it cannot be read, and for GIF files, which
/// are rather motions.
bool is_picture(const std::filesystem::path& path);

/// The same as read_image() from the file's bytes; `name` stands for the path in errors.
Image decode_image(std::span<const std::byte> bytes, const std::string& name, const ReadLimits& limits = kStillLimits);

}  // namespace unianimate
