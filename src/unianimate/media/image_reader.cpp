#include "unianimate/media/image_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/media/exif.h"
#include "unianimate/media/image_codecs.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

// As many bytes as it takes to tell the formats apart.
constexpr std::size_t kSignatureBytes = 12;

struct Codec {
  ImageFormat format;
  std::string_view name;
  StoredHeader (*read_header)(const EncodedImage&);
  Image (*decode)(const EncodedImage&);
};

constexpr Codec kCodecs[] = {
    {ImageFormat::kJpeg, "JPEG", read_jpeg_header, decode_jpeg},
    {ImageFormat::kPng, "PNG", read_png_header, decode_png},
    {ImageFormat::kWebp, "WebP", read_webp_header, decode_webp},
};

std::optional<ImageFormat> detect(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\xff\xd8\xff"sv)) return ImageFormat::kJpeg;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return ImageFormat::kPng;
  if (bytes.starts_with("RIFF"sv) && bytes.size() >= kSignatureBytes && bytes.substr(8, 4) == "WEBP"sv)
    return ImageFormat::kWebp;
  return std::nullopt;
}

const Codec& codec_for(const EncodedImage& file) {
  if (file.bytes.empty()) throw Error(ErrorKind::kInput, "{} is empty; give a JPEG, PNG or WebP picture", file.name);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
  const std::optional<ImageFormat> format = detect(text);
  if (!format) {
    throw Error(ErrorKind::kInput,
                "{} is not a JPEG, PNG or WebP picture (it begins with '{}'); convert it to one of these", file.name,
                printable(text.substr(0, kSignatureBytes)));
  }
  return *std::ranges::find(kCodecs, *format, &Codec::format);
}

std::vector<std::uint8_t> read_bytes(const fs::path& path, const ReadLimits& limits) {
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (!fs::exists(status)) {
    throw Error(ErrorKind::kInput, "the picture {} cannot be opened: {}", path.string(),
                problem ? problem.message() : std::strerror(ENOENT));
  }
  if (!fs::is_regular_file(status)) {
    throw Error(ErrorKind::kInput, "{} is not a file; give a JPEG, PNG or WebP picture", path.string());
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorKind::kInput, "the picture {} cannot be opened: {}", path.string(), std::strerror(errno));
  const auto size = static_cast<std::int64_t>(fs::file_size(path, problem));
  if (problem || size > limits.max_file_bytes) {
    throw Error(ErrorKind::kInput, "the picture {} has {} bytes, but at most {} are read; save it smaller",
                path.string(), size, limits.max_file_bytes);
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  file.read(reinterpret_cast<char*>(bytes.data()), size);
  if (file.gcount() != size) {
    throw Error(ErrorKind::kInput, "the picture {} cannot be read: {}", path.string(), std::strerror(errno));
  }
  return bytes;
}

Image decode_upright(const EncodedImage& file) {
  const Codec& codec = codec_for(file);
  return apply_orientation(codec.decode(file), codec.read_header(file).orientation);
}

}  // namespace

void EncodedImage::refuse(ImageFormat format, std::string_view reason) const {
  throw Error(ErrorKind::kInput, "the {} picture {} cannot be decoded: {}; replace the file", image_format_name(format),
              name, printable(reason));
}

void EncodedImage::check_size(std::int64_t width, std::int64_t height) const {
  if (width * height <= limits.max_pixels) return;
  throw Error(ErrorKind::kInput,
              "the picture {} says it is {}×{} pixels, but at most {} pixels are read; scale it down", name, width,
              height, limits.max_pixels);
}

std::string_view image_format_name(ImageFormat format) {
  return std::ranges::find(kCodecs, format, &Codec::format)->name;
}

Image read_image(const fs::path& path, const ReadLimits& limits) {
  const std::vector<std::uint8_t> bytes = read_bytes(path, limits);
  return decode_upright({bytes, path.string(), limits});
}

ImageHeader read_image_header(const fs::path& path, const ReadLimits& limits) {
  const std::vector<std::uint8_t> bytes = read_bytes(path, limits);
  const EncodedImage file{bytes, path.string(), limits};
  const Codec& codec = codec_for(file);
  const StoredHeader stored = codec.read_header(file);
  ImageHeader header{codec.format, stored.width, stored.height};
  if (swaps_sides(stored.orientation)) std::swap(header.width, header.height);
  return header;
}

bool is_picture(const fs::path& path) {
  std::array<char, kSignatureBytes> signature{};
  std::ifstream file(path, std::ios::binary);
  file.read(signature.data(), signature.size());
  return detect({signature.data(), static_cast<std::size_t>(file.gcount())}).has_value();
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name, const ReadLimits& limits) {
  return decode_upright({{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, name, limits});
}

}  // namespace unianimate
