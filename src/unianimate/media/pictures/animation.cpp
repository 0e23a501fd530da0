#include "unianimate/media/pictures/animation.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace unianimate {

namespace {

using namespace std::string_view_literals;

/// Bytes of a file in their order. What lies behind the end reads as zeros, and ended() says so.
class ByteReader {
 public:
  explicit ByteReader(const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(path, ignored)) file_.open(path, std::ios::in | std::ios::binary);
  }

  [[nodiscard]] bool ended() const { return ended_; }

  int byte() {
    const int value = file_.is_open() ? file_.sbumpc() : kEnd;
    ended_ = ended_ || value == kEnd;
    return value == kEnd ? 0 : value;
  }
  /// `bytes` of them, the most significant first.
  std::uint32_t number(int bytes) {
    std::uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8U | static_cast<std::uint32_t>(byte());
    return value;
  }
  std::string text(std::size_t bytes) {
    std::string result;
    for (std::size_t i = 0; i < bytes && !ended_; ++i) result.push_back(static_cast<char>(byte()));
    return result;
  }
  void skip(std::int64_t bytes) {
    if (bytes >= 0 && bytes < file_.in_avail()) {  // seeking reads the same bytes again
      for (; bytes > 0; --bytes) file_.sbumpc();
      return;
    }
    ended_ = ended_ || file_.pubseekoff(bytes, std::ios::cur, std::ios::in) == std::streampos(-1);
  }

 private:
  static constexpr int kEnd = std::char_traits<char>::eof();

  std::filebuf file_;
  bool ended_ = false;
};

/// Portable Network Graphics 3.0, 11.3.6: acTL stands before the first IDAT and counts the frames.
bool is_animated_png(ByteReader& file) {
  constexpr std::int64_t kChecksumBytes = 4;
  while (!file.ended()) {
    const std::uint32_t length = file.number(4);
    const std::string type = file.text(4);
    if (type == "acTL") return file.number(4) > 1;
    if (type == "IDAT") return false;
    file.skip(length + kChecksumBytes);
  }
  return false;
}

/// The animation flag of the VP8X chunk.
bool is_animated_webp(ByteReader& file) {
  constexpr std::int64_t kLengthBytes = 4;
  constexpr int kAnimation = 0x02;
  if (file.text(4) != "VP8X") return false;
  file.skip(kLengthBytes);
  return (file.byte() & kAnimation) != 0;
}

void skip_gif_blocks(ByteReader& file) {
  while (const int length = file.byte()) file.skip(length);
}

void skip_gif_palette(ByteReader& file, int flags) {
  constexpr int kHasPalette = 0x80;
  constexpr int kSizeBits = 0x07;
  constexpr std::int64_t kEntryBytes = 3;
  if ((flags & kHasPalette) != 0) file.skip(kEntryBytes << ((flags & kSizeBits) + 1));
}

/// Whether there is a second image block (GIF89a, 20).
bool is_animated_gif(ByteReader& file) {
  constexpr int kExtension = 0x21;
  constexpr int kImage = 0x2c;
  constexpr std::int64_t kSizeBytes = 4;
  constexpr std::int64_t kColorAndAspectBytes = 2;
  constexpr std::int64_t kPlaceBytes = 8;
  file.skip(kSizeBytes);
  const int screen = file.byte();
  file.skip(kColorAndAspectBytes);
  skip_gif_palette(file, screen);
  int images = 0;
  while (!file.ended()) {
    const int block = file.byte();
    if (block != kExtension && block != kImage) return false;
    if (block == kExtension) {
      file.byte();
    } else {
      if (++images > 1) return true;
      file.skip(kPlaceBytes);
      skip_gif_palette(file, file.byte());
      file.byte();
    }
    skip_gif_blocks(file);
  }
  return false;
}

// ---- JPEG

constexpr int kMarker = 0xff;
constexpr int kStartOfImage = 0xd8;
constexpr int kEndOfImage = 0xd9;
constexpr int kStartOfScan = 0xda;
constexpr int kApp2 = 0xe2;

bool is_jpeg_frame_header(int marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/// 0 where there is none.
int next_marker(ByteReader& file) {
  if (file.byte() != kMarker) return 0;
  int marker = kMarker;
  while (marker == kMarker && !file.ended()) marker = file.byte();
  return marker;
}

/// Over coded pixels, in which 0xff is followed by 0 or the number of a restart, to the next marker.
int skip_jpeg_scan(ByteReader& file) {
  const auto is_data = [](int marker) { return marker == 0 || (marker >= 0xd0 && marker <= 0xd7); };
  while (!file.ended()) {
    if (file.byte() != kMarker) continue;
    int marker = kMarker;
    while (marker == kMarker && !file.ended()) marker = file.byte();
    if (!is_data(marker)) return marker;
  }
  return 0;
}

struct JpegPicture {
  std::uint32_t size = 0;      ///< height and width, 16 bits each
  bool has_relatives = false;  ///< other views, larger copies: CIPA DC-007's index of them
};

/// A picture from behind its first marker to its end, or only to its size. Nothing where it is cut short.
std::optional<JpegPicture> read_jpeg(ByteReader& file, bool to_its_end) {
  constexpr std::uint32_t kLengthBytes = 2;
  constexpr auto kIndexOfViews = "MPF\0"sv;
  JpegPicture picture;
  int marker = next_marker(file);
  while (!file.ended() && marker != kEndOfImage && marker != 0) {
    const std::uint32_t length = file.number(kLengthBytes);
    if (length < kLengthBytes) return std::nullopt;
    std::int64_t rest = length - kLengthBytes;
    if (is_jpeg_frame_header(marker)) {
      file.byte();
      picture.size = file.number(4);
      if (!to_its_end) return picture;
      rest -= 5;
    } else if (marker == kApp2 && rest >= std::ssize(kIndexOfViews)) {
      picture.has_relatives = picture.has_relatives || file.text(kIndexOfViews.size()) == kIndexOfViews;
      rest -= std::ssize(kIndexOfViews);
    }
    file.skip(rest);
    marker = marker == kStartOfScan ? skip_jpeg_scan(file) : next_marker(file);
  }
  if (marker != kEndOfImage) return std::nullopt;
  return picture;
}

/// Cameras put previews and films behind their pictures, so only a picture of the same size goes on.
bool is_jpeg_stream(ByteReader& file) {
  constexpr int kMostPadding = 64;
  if (file.byte() != kStartOfImage) return false;
  const std::optional<JpegPicture> first = read_jpeg(file, true);
  if (!first || first->has_relatives) return false;
  int byte = file.byte();
  for (int i = 0; i < kMostPadding && byte == 0 && !file.ended(); ++i) byte = file.byte();
  if (byte != kMarker || file.byte() != kStartOfImage) return false;
  const std::optional<JpegPicture> second = read_jpeg(file, false);
  return second && second->size == first->size;
}

// ---- HEIC and AVIF

/// Whether one of the brands of ISO/IEC 23008-12 and of AVIF for sequences is named.
bool is_picture_sequence(ByteReader& file, std::uint32_t box_bytes) {
  constexpr std::string_view kSequences[] = {"avis", "msf1", "hevc", "hevx"};
  constexpr std::uint32_t kHeadBytes = 8;
  constexpr std::uint32_t kBrandBytes = 4;
  constexpr std::uint32_t kMostBrands = 64;
  const std::uint32_t brands = (std::max(box_bytes, kHeadBytes) - kHeadBytes) / kBrandBytes;
  for (std::uint32_t i = 0; i < std::min(brands, kMostBrands); ++i) {
    if (std::ranges::find(kSequences, file.text(kBrandBytes)) != std::end(kSequences)) return true;
  }
  return false;
}

// ---- TIFF

/// Revision 6.0, section 2: the first directory, of entries of 12 bytes, ends with the place of the next one, or 0.
bool is_tiff_of_pages(const std::filesystem::path& path) {
  constexpr int kPlaceBytes = 4;
  constexpr std::int64_t kHeadBytes = 8;
  constexpr std::int64_t kEntryBytes = 12;
  ByteReader file(path);
  const std::string head = file.text(4);
  const bool little = head == "II*\0"sv;
  if (!little && head != "MM\0*"sv) return false;
  const auto number = [&](int bytes) {
    const std::uint32_t value = file.number(bytes);
    return little ? __builtin_bswap32(value) >> (8U * static_cast<unsigned>(4 - bytes)) : value;
  };
  file.skip(number(kPlaceBytes) - kHeadBytes);
  file.skip(number(2) * kEntryBytes);
  return number(kPlaceBytes) != 0;
}

AnimationKind kind_of_file(const std::filesystem::path& path) {
  const auto kind_if = [](bool animated, AnimationKind kind) { return animated ? kind : AnimationKind::kNone; };
  ByteReader file(path);
  const std::string head = file.text(4);
  if (head == "\x89PNG"sv) {
    return kind_if(file.text(4) == "\r\n\x1a\n"sv && is_animated_png(file), AnimationKind::kPng);
  }
  if (head == "GIF8"sv) return kind_if(file.text(2).ends_with('a') && is_animated_gif(file), AnimationKind::kGif);
  if (head == "RIFF"sv) {
    return kind_if(file.number(4) > 0 && file.text(4) == "WEBP"sv && is_animated_webp(file), AnimationKind::kWebp);
  }
  if (head.starts_with("\xff\xd8\xff"sv)) {
    ByteReader jpeg(path);
    return kind_if(jpeg.byte() == kMarker && is_jpeg_stream(jpeg), AnimationKind::kJpeg);
  }
  ByteReader boxes(path);
  const std::uint32_t bytes = boxes.number(4);
  return kind_if(boxes.text(4) == "ftyp"sv && is_picture_sequence(boxes, bytes), AnimationKind::kSequence);
}

}  // namespace

AnimationKind animation_kind(const std::filesystem::path& path) {
  try {
    return kind_of_file(path);
  } catch (const std::ios_base::failure&) {
    return AnimationKind::kNone;  // what the disk does not give
  }
}

bool has_more_pages(const std::filesystem::path& path) {
  try {
    return is_tiff_of_pages(path);
  } catch (const std::ios_base::failure&) {
    return false;
  }
}

}  // namespace unianimate
