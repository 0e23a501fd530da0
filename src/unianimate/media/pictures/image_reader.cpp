#include "unianimate/media/pictures/image_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/media/pictures/animation.h"
#include "unianimate/media/pictures/exif.h"
#include "unianimate/media/pictures/further_pictures.h"
#include "unianimate/media/pictures/image_codecs.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

using namespace std::string_view_literals;

// As many bytes as it takes to tell the formats apart.
constexpr std::size_t kSignatureBytes = 12;

std::string_view kinds() {
  return further_decoder() != nullptr ? "a JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF picture"
                                      : "a JPEG, PNG, WebP, HEIC or AVIF picture";
}

const FurtherDecoder& further_decoder_for(const EncodedImage& file, ImageFormat format) {
  if (const FurtherDecoder* decoder = further_decoder()) return *decoder;
  throw Error(
      ErrorKind::kInput,
      "{} is a {} picture, and this build reads JPEG, PNG, WebP, HEIC and AVIF only; convert it to one of these",
      file.name, image_format_name(format));
}

template <ImageFormat Format>
StoredHeader read_further_header(const EncodedImage& file) {
  return further_decoder_for(file, Format).read_header(file);
}

template <ImageFormat Format>
Image decode_further(const EncodedImage& file) {
  return further_decoder_for(file, Format).decode(file);
}

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
    {ImageFormat::kHeic, "HEIC", read_heif_header, decode_heif},
    {ImageFormat::kAvif, "AVIF", read_heif_header, decode_heif},
    {ImageFormat::kGif, "GIF", read_further_header<ImageFormat::kGif>, decode_further<ImageFormat::kGif>},
    {ImageFormat::kBmp, "BMP", read_further_header<ImageFormat::kBmp>, decode_further<ImageFormat::kBmp>},
    {ImageFormat::kTiff, "TIFF", read_further_header<ImageFormat::kTiff>, decode_further<ImageFormat::kTiff>},
};

/// How files of a kind begin: `start` stands at their beginning, `then` at `offset`.
struct Signature {
  std::string_view start;
  std::size_t offset;
  std::string_view then;
  ImageFormat format;
};

constexpr Signature kSignatures[] = {
    {"\xff\xd8\xff"sv, 0, "", ImageFormat::kJpeg}, {"\x89PNG\r\n\x1a\n"sv, 0, "", ImageFormat::kPng},
    {"RIFF", 8, "WEBP", ImageFormat::kWebp},       {"GIF87a", 0, "", ImageFormat::kGif},
    {"GIF89a", 0, "", ImageFormat::kGif},          {"BM", 6, "\0\0\0\0"sv, ImageFormat::kBmp},
    {"II*\0"sv, 0, "", ImageFormat::kTiff},        {"MM\0*"sv, 0, "", ImageFormat::kTiff},
    {"", 4, "ftypavif", ImageFormat::kAvif},       {"", 4, "ftypavis", ImageFormat::kAvif},
    {"", 4, "ftypheic", ImageFormat::kHeic},       {"", 4, "ftypheix", ImageFormat::kHeic},
    {"", 4, "ftypheim", ImageFormat::kHeic},       {"", 4, "ftypheis", ImageFormat::kHeic},
    {"", 4, "ftyphevc", ImageFormat::kHeic},       {"", 4, "ftyphevx", ImageFormat::kHeic},
    {"", 4, "ftypmif1", ImageFormat::kHeic},       {"", 4, "ftypmsf1", ImageFormat::kHeic},
};

/// Kinds that are not read, and what to do with them.
struct ForeignKind {
  std::string_view start;
  std::size_t offset;
  std::string_view then;
  std::string_view name;
};

constexpr std::string_view kVideo = "a video";
constexpr ForeignKind kForeignKinds[] = {
    {"", 4, "ftyp", kVideo},
    {"", 4, "moov", kVideo},
    {"\x1a\x45\xdf\xa3"sv, 0, "", kVideo},
    {"RIFF", 8, "AVI ", kVideo},
    {"FLV\x01"sv, 0, "", kVideo},
    {"OggS", 0, "", kVideo},
    {"\0\0\x01\xba"sv, 0, "", kVideo},
    {"\0\0\x01\xb3"sv, 0, "", kVideo},
    {"\x30\x26\xb2\x75"sv, 0, "", kVideo},
    {"", 4, "jP  ", "a JPEG 2000 picture"},
    {"", 4, "JXL ", "a JPEG XL picture"},
    {"\xff\x0a"sv, 0, "", "a JPEG XL picture"},
    {"8BPS", 0, "", "a Photoshop picture"},
    {"gimp xcf", 0, "", "a GIMP picture"},
    {"%PDF", 0, "", "a PDF document"},
    {"<svg", 0, "", "an SVG drawing"},
    {"<?xml", 0, "", "an SVG drawing or another XML file"},
    {"#?RADIANCE", 0, "", "a Radiance picture"},
    {"\x76\x2f\x31\x01"sv, 0, "", "an OpenEXR picture"},
    {"qoif", 0, "", "a QOI picture"},
    {"P4", 2, "\n", "a PBM picture"},
    {"P5", 2, "\n", "a PGM picture"},
    {"P6", 2, "\n", "a PPM picture"},
    {"\0\0\x01\0"sv, 0, "", "an icon"},
};

template <typename Kind>
bool begins_as(std::string_view bytes, const Kind& kind) {
  return bytes.starts_with(kind.start) && bytes.size() > kind.offset &&
         bytes.substr(kind.offset).starts_with(kind.then);
}

std::optional<ImageFormat> detect(std::string_view bytes) {
  const auto* const found =
      std::ranges::find_if(kSignatures, [bytes](const Signature& signature) { return begins_as(bytes, signature); });
  if (found == std::end(kSignatures)) return std::nullopt;
  return found->format;
}

[[noreturn]] void refuse_kind(const std::string& name, std::string_view bytes) {
  const auto* const kind =
      std::ranges::find_if(kForeignKinds, [bytes](const ForeignKind& foreign) { return begins_as(bytes, foreign); });
  if (kind == std::end(kForeignKinds)) {
    throw Error(ErrorKind::kInput, "{} is not {} (it begins with '{}'); convert it to one of these", name, kinds(),
                printable(bytes.substr(0, kSignatureBytes)));
  }
  if (kind->name == kVideo) {
    throw Error(ErrorKind::kInput, "{} is a video, and {} is needed here; save one of its frames as a picture", name,
                kinds());
  }
  throw Error(ErrorKind::kInput, "{} is {}, which is not read; convert it to JPEG or PNG", name, kind->name);
}

const Codec& codec_for(const EncodedImage& file) {
  if (file.bytes.empty()) throw Error(ErrorKind::kInput, "{} is empty; give {}", file.name, kinds());
  const std::string_view text(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
  const std::optional<ImageFormat> format = detect(text);
  if (!format) refuse_kind(file.name, text);
  return *std::ranges::find(kCodecs, *format, &Codec::format);
}

std::vector<std::uint8_t> read_bytes(const fs::path& path, const ReadLimits& limits) {
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (!fs::exists(status)) {
    throw Error(ErrorKind::kInput, "the picture {} cannot be opened: {}{}", path.string(),
                problem ? problem.message() : std::strerror(ENOENT), path_hint(path));
  }
  if (!fs::is_regular_file(status)) {
    throw Error(ErrorKind::kInput, "{} is not a file; give {}", path.string(), kinds());
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

/// `release` is called once the file's bytes are not needed any more.
template <typename Release>
Image decode_upright(const EncodedImage& file, const Release& release) {
  const Codec& codec = codec_for(file);
  const int orientation = codec.read_header(file).orientation;
  Image stored = codec.decode(file);
  release();
  return apply_orientation(std::move(stored), orientation);
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
  std::vector<std::uint8_t> bytes = read_bytes(path, limits);
  return decode_upright({bytes, path.string(), limits}, [&bytes] { bytes = {}; });
}

ReferencePicture read_reference(const fs::path& path, const std::optional<Color>& background) {
  std::vector<std::uint8_t> bytes = read_bytes(path, kStillLimits);
  Transparency transparency(background);
  ReferencePicture reference{
      decode_upright({bytes, path.string(), kStillLimits, &transparency}, [&bytes] { bytes = {}; }), {}};
  const std::string name = printable(path.string());
  if (transparency.found()) {
    reference.notes.push_back(
        background
            ? fmt::format("{} is transparent in parts, where the background is {}", name, color_text(*background))
            : fmt::format("{} is transparent in parts, where the colours show that are stored beneath, as in the "
                          "published program; --background chooses one",
                          name));
  }
  if (is_animation(path)) {
    reference.notes.push_back(fmt::format("{} is an animation, of which the first picture is taken", name));
  }
  if (has_more_pages(path)) {
    reference.notes.push_back(fmt::format("{} has several pages, of which the first is taken", name));
  }
  return reference;
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
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;  // opening a pipe would wait for somebody who writes
  std::array<char, kSignatureBytes> signature{};
  std::ifstream file(path, std::ios::binary);
  file.read(signature.data(), signature.size());
  const auto format = detect({signature.data(), static_cast<std::size_t>(file.gcount())});
  if (format == ImageFormat::kBmp || format == ImageFormat::kTiff) return further_decoder() != nullptr;
  return format && *format != ImageFormat::kGif;
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name, const ReadLimits& limits) {
  return decode_upright({{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, name, limits}, [] {});
}

}  // namespace unianimate
