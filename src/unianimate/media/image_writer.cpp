#include "unianimate/media/image_writer.h"

#include <png.h>

#include <cstdlib>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/media/jpeg_errors.h"

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

}  // namespace

std::string encode_png(const Image& image) {
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
  return bytes;
}

std::string encode_jpeg(const Image& image, int quality) {
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
  write_file_atomically(path, encode_png(image));
}

void write_jpeg(const std::filesystem::path& path, const Image& image, int quality) {
  write_file_atomically(path, encode_jpeg(image, quality));
}

}  // namespace unianimate
