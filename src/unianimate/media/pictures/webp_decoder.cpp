#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>
#include <string_view>
#include <utility>

#include "unianimate/media/pictures/exif.h"
#include "unianimate/media/pictures/image_codecs.h"

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

using AnimationDecoder = std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)>;

/// Of an animated file, whose frames lie on a canvas.
Image first_frame(const EncodedImage& file, const StoredHeader& header) {
  WebPAnimDecoderOptions options;
  WebPAnimDecoderOptionsInit(&options);
  options.color_mode = MODE_RGBA;
  const WebPData data{file.bytes.data(), file.bytes.size()};
  const AnimationDecoder decoder(WebPAnimDecoderNew(&data, &options), WebPAnimDecoderDelete);
  std::uint8_t* canvas = nullptr;
  int milliseconds = 0;
  if (!decoder || WebPAnimDecoderGetNext(decoder.get(), &canvas, &milliseconds) == 0) {
    file.refuse(ImageFormat::kWebp, "its first frame is damaged or missing");
  }
  Transparency as_stored(std::nullopt);
  Transparency& transparency = file.transparency != nullptr ? *file.transparency : as_stored;
  Image image(header.width, header.height);
  for (int y = 0; y < image.height; ++y) {
    const std::size_t row_bytes = static_cast<std::size_t>(image.width) * 4;
    transparency.flatten({canvas + static_cast<std::size_t>(y) * row_bytes, row_bytes}, image.row(y));
  }
  return image;
}

}  // namespace

StoredHeader read_webp_header(const EncodedImage& file) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(file.bytes.data(), file.bytes.size(), &features);
  if (status != VP8_STATUS_OK) file.refuse(ImageFormat::kWebp, status_text(status));
  file.check_size(features.width, features.height);
  return {features.width, features.height, orientation(file.bytes)};
}

Image decode_webp(const EncodedImage& file) {
  const StoredHeader header = read_webp_header(file);
  WebPDecoderConfig config;
  WebPInitDecoderConfig(&config);
  WebPGetFeatures(file.bytes.data(), file.bytes.size(), &config.input);
  if (config.input.has_animation != 0) return first_frame(file, header);
  const bool keep_alpha = file.transparency != nullptr && config.input.has_alpha != 0;
  Image image;
  image.width = header.width;
  image.height = header.height;
  const std::size_t row_bytes = static_cast<std::size_t>(header.width) * (keep_alpha ? 4 : 3);
  image.pixels.resize(row_bytes * static_cast<std::size_t>(header.height));
  config.output.colorspace = keep_alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {image.pixels.data(), static_cast<int>(row_bytes), image.pixels.size()};
  const VP8StatusCode status = WebPDecode(file.bytes.data(), file.bytes.size(), &config);
  if (status != VP8_STATUS_OK) file.refuse(ImageFormat::kWebp, status_text(status));
  if (!keep_alpha) return image;
  return file.transparency->flatten(std::move(image.pixels), header.width, header.height);
}

}  // namespace unianimate
