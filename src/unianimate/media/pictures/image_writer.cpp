#include "unianimate/media/pictures/image_writer.h"

#include <png.h>
#include <zlib.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/written_mark.h"
#include "unianimate/media/pictures/jpeg_errors.h"

namespace unianimate {

namespace {

struct JpegOutput {
  jpeg_compress_struct encoder{};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;

  JpegOutput() = default;
  ~JpegOutput() {
    jpeg_destroy_compress(&encoder);
    std::free(bytes);
  }
  JpegOutput(const JpegOutput&) = delete;
  JpegOutput& operator=(const JpegOutput&) = delete;
};

// Signature and IHDR, after which other chunks may begin (PNG 3rd edition, 5.2 and 11.2.1).
constexpr std::size_t kPngHeaderBytes = 8 + 25;

std::string big_endian(std::uint32_t number) {
  std::array<png_byte, 4> bytes{};
  png_save_uint_32(bytes.data(), number);
  return {bytes.begin(), bytes.end()};
}

// PNG 3rd edition, 5.3 and 11.3.3.2: length, type, keyword, NUL, text, CRC of type and data.
std::string software_chunk(std::string_view software) {
  constexpr std::string_view kTypeAndKeyword("tEXtSoftware\0", 13);
  constexpr std::size_t kTypeBytes = 4;
  const std::string content = std::string(kTypeAndKeyword) + std::string(software);
  const auto checksum = crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  return big_endian(static_cast<std::uint32_t>(content.size() - kTypeBytes)) + content +
         big_endian(static_cast<std::uint32_t>(checksum));
}

}  // namespace

std::string encode_png(const Image& image, std::string_view mark) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&png, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0) {
    throw Error(ErrorKind::kUsage, "a picture of {}×{} pixels cannot be written as PNG: {}", image.width, image.height,
                png.message);
  }
  bytes.resize(size);
  return mark.empty() ? bytes : bytes.insert(kPngHeaderBytes, software_chunk(mark));
}

std::string encode_jpeg(const Image& image, int quality, std::string_view mark) {
  if (quality < 1 || quality > 100) {
    throw Error(ErrorKind::kUsage, "the JPEG quality must lie between 1 and 100, but is {}", quality);
  }
  JpegErrors errors;
  JpegOutput output;
  output.encoder.err = &errors.manager;
  output.encoder.client_data = &errors;
  const bool done = completes(errors, [&] {
    jpeg_create_compress(&output.encoder);
    jpeg_mem_dest(&output.encoder, &output.bytes, &output.size);
    output.encoder.image_width = static_cast<JDIMENSION>(image.width);
    output.encoder.image_height = static_cast<JDIMENSION>(image.height);
    output.encoder.input_components = Image::kChannels;
    output.encoder.in_color_space = JCS_RGB;
    jpeg_set_defaults(&output.encoder);
    jpeg_set_quality(&output.encoder, quality, TRUE);
    jpeg_start_compress(&output.encoder, TRUE);
    if (!mark.empty()) {
      jpeg_write_marker(&output.encoder, JPEG_COM, reinterpret_cast<const JOCTET*>(mark.data()),
                        static_cast<unsigned int>(mark.size()));
    }
    for (int y = 0; y < image.height; ++y) {
      // libjpeg reads through this pointer only.
      auto* line = const_cast<JSAMPROW>(image.row(y).data());
      jpeg_write_scanlines(&output.encoder, &line, 1);
    }
    jpeg_finish_compress(&output.encoder);
  });
  if (!done) {
    throw Error(ErrorKind::kUsage, "a picture of {}×{} pixels cannot be written as JPEG: {}", image.width, image.height,
                errors.message.data());
  }
  return {reinterpret_cast<const char*>(output.bytes), output.size};
}

void write_png(const std::filesystem::path& path, const Image& image) {
  write_file_atomically(path, encode_png(image, kPictureMark));
}

void write_jpeg(const std::filesystem::path& path, const Image& image, int quality) {
  write_file_atomically(path, encode_jpeg(image, quality));
}

}  // namespace unianimate
