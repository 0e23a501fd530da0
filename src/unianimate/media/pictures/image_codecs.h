// Inside media: one decoder for each picture format, and what they share with the reader and the writer. For others see
// further_pictures.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "unianimate/media/pictures/image.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/transparency.h"

namespace unianimate {

/// A picture file's bytes; `name` and `limits` serve the errors.
struct EncodedImage {
  std::span<const std::uint8_t> bytes;
  std::string name;
  ReadLimits limits;
  /// What to do with alpha; null: drop it, and what it hides shows.
  Transparency* transparency = nullptr;

  /// Throws Error(kInput): the content is damaged, for this reason.
  [[noreturn]] void refuse(ImageFormat format, std::string_view reason) const;
  /// Throws Error(kInput) where a header claims more pixels than the limits allow.
  void check_size(std::int64_t width, std::int64_t height) const;
};

/// What a header says of the picture as stored. Decoders check the size against the limits first.
struct StoredHeader {
  int width = 0;
  int height = 0;
  /// EXIF orientation 1..8, see exif.h.
  int orientation = 1;
};

StoredHeader read_jpeg_header(const EncodedImage& file);
StoredHeader read_png_header(const EncodedImage& file);
StoredHeader read_webp_header(const EncodedImage& file);
StoredHeader read_heif_header(const EncodedImage& file);

/// The picture as stored, orientation not applied.
Image decode_jpeg(const EncodedImage& file);
Image decode_png(const EncodedImage& file);
Image decode_webp(const EncodedImage& file);
Image decode_heif(const EncodedImage& file);

}  // namespace unianimate
