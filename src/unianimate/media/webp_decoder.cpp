#include <webp/decode.h>

#include <string_view>

#include "unianimate/media/exif.h"
#include "unianimate/media/image_codecs.h"

namespace unianimate {

namespace {

std::string_view status_text(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return "the file ends early";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "it uses a feature that libwebp does not know";
    case VP8_STATUS_OUT_OF_MEMORY:
      return "there is not enough memory to decode it";
    default:
      return "its data is damaged";
  }
}

// The EXIF chunk of the RIFF container: four letters, 32-bit little-endian length, data padded to an even length.
int orientation(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kRiffBytes = 12;
  constexpr std::size_t kChunkBytes = 8;
  constexpr std::string_view kExif = "EXIF";
  std::span<const std::uint8_t> chunks = bytes.subspan(kRiffBytes);
  while (chunks.size() >= kChunkBytes) {
    const std::size_t length = chunks[4] | (chunks[5] << 8) | (chunks[6] << 16) | (std::size_t{chunks[7]} << 24);
    if (length > chunks.size() - kChunkBytes) break;
    if (std::equal(kExif.begin(), kExif.end(), chunks.begin())) {
      return exif_orientation(chunks.subspan(kChunkBytes, length));
    }
    chunks = chunks.subspan(std::min(chunks.size(), kChunkBytes + length + length % 2));
  }
  return 1;
}

}  // namespace

StoredHeader read_webp_header(const EncodedImage& file) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(file.bytes.data(), file.bytes.size(), &features);
  if (status != VP8_STATUS_OK) file.refuse(ImageFormat::kWebp, status_text(status));
  if (features.has_animation != 0) file.refuse(ImageFormat::kWebp, "it is animated and a still picture is needed");
  file.check_size(features.width, features.height);
  return {features.width, features.height, orientation(file.bytes)};
}

Image decode_webp(const EncodedImage& file) {
  const StoredHeader header = read_webp_header(file);
  Image image(header.width, header.height);
  WebPDecoderConfig config;
  WebPInitDecoderConfig(&config);
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {image.pixels.data(), static_cast<int>(image.row_bytes()), image.pixels.size()};
  const VP8StatusCode status = WebPDecode(file.bytes.data(), file.bytes.size(), &config);
  if (status != VP8_STATUS_OK) file.refuse(ImageFormat::kWebp, status_text(status));
  return image;
}

}  // namespace unianimate
