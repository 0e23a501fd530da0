// Pictures from files: JPEG, PNG and WebP, told apart by their content, never by their name.
//
// The pixels are those of the published code's Image.open(path).convert("RGB"), with one wanted difference: an EXIF
// orientation is applied, so that pictures stand upright as viewers show them. In detail:
// - JPEG is decoded as libjpeg-turbo does by default (islow DCT, fancy upsampling); CMYK and YCCK become RGB by
//   Pillow's formula, inverted as Adobe writes them;
// - PNG with 16 bits a channel keeps the high byte (Pillow clips 16-bit grey instead, which is of no use here);
// - alpha and colour keys are dropped without compositing; colour profiles and gamma are ignored;
// - of an animated PNG the still picture is taken; an animated WebP is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "unianimate/media/image.h"

namespace unianimate {

/// Bounds that are checked before memory is taken.
struct ReadLimits {
  std::int64_t max_pixels = 64'000'000;
  std::int64_t max_file_bytes = std::int64_t{512} << 20;
};

enum class ImageFormat { kJpeg, kPng, kWebp };
/// "JPEG", "PNG", "WebP".
std::string_view image_format_name(ImageFormat format);

/// Size as read_image() gives it, that is after the EXIF orientation.
struct ImageHeader {
  ImageFormat format = ImageFormat::kPng;
  int width = 0;
  int height = 0;
};

/// The whole picture. Throws Error(kInput), naming the path, for a file that is missing, empty, cut short, damaged, of
/// another kind, or over the limits.
Image read_image(const std::filesystem::path& path, const ReadLimits& limits = {});

/// Kind and size alone, without decoding: for checks before long work. Throws as read_image() does for what shows in
/// the header.
ImageHeader read_image_header(const std::filesystem::path& path, const ReadLimits& limits = {});

/// Whether the file begins as a JPEG, PNG or WebP picture does; false where it cannot be read.
bool is_picture(const std::filesystem::path& path);

/// The same as read_image() from the file's bytes; `name` stands for the path in errors.
Image decode_image(std::span<const std::byte> bytes, const std::string& name, const ReadLimits& limits = {});

}  // namespace unianimate
