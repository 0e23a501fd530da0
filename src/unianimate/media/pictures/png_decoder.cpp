#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unianimate/media/pictures/c_library_guard.h"
#include "unianimate/media/pictures/exif.h"
#include "unianimate/media/pictures/image_codecs.h"

namespace unianimate {

namespace {

constexpr std::size_t kPngSignatureBytes = 8;

struct PngState : FailurePoint {
  std::span<const std::uint8_t> unread;
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto& state = *static_cast<PngState*>(png_get_error_ptr(png));
  const std::string_view message = text;
  std::ranges::copy(message.substr(0, state.message.size() - 1), state.message.begin());
  state.jump_back();
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep data, std::size_t size) {
  auto& unread = static_cast<PngState*>(png_get_io_ptr(png))->unread;
  if (size > unread.size()) png_error(png, "the file ends early");
  std::ranges::copy(unread.first(size), data);
  unread = unread.subspan(size);
}

struct PngHandle {
  png_structp png;
  png_infop info;

  explicit PngHandle(PngState& state)
      : png(png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning)),
        info(png == nullptr ? nullptr : png_create_info_struct(png)) {
    if (info != nullptr) return;
    png_destroy_read_struct(&png, nullptr, nullptr);
    throw std::bad_alloc();
  }
  ~PngHandle() { png_destroy_read_struct(&png, &info, nullptr); }
  PngHandle(const PngHandle&) = delete;
  PngHandle& operator=(const PngHandle&) = delete;
};

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Empty where it is damaged or longer than any EXIF data in hexadecimal.
std::string inflated(std::string_view bytes) {
  std::string text(std::size_t{256} << 10, '\0');
  uLongf size = text.size();
  const int status = uncompress(reinterpret_cast<Bytef*>(text.data()), &size,
                                reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  text.resize(status == Z_OK ? size : 0);
  return text;
}

/// EXIF data in a text chunk as ImageMagick writes it: keyword, an empty line, a name, a length, and hexadecimal
/// digits. Empty for other texts.
std::vector<std::uint8_t> raw_profile(std::span<const std::uint8_t> chunk, bool compressed) {
  using namespace std::string_view_literals;
  constexpr std::string_view kKeywords[] = {"Raw profile type exif\0"sv, "Raw profile type APP1\0"sv};
  constexpr int kLinesBefore = 3;
  constexpr int kHexadecimal = 16;
  std::string_view text = text_of(chunk);
  const auto* const keyword =
      std::ranges::find_if(kKeywords, [text](std::string_view word) { return text.starts_with(word); });
  if (keyword == std::end(kKeywords)) return {};
  text.remove_prefix(keyword->size());
  std::string plain;
  if (compressed) {
    plain = inflated(text.substr(std::min<std::size_t>(1, text.size())));
    text = plain;
  }
  for (int i = 0; i < kLinesBefore; ++i) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  std::string digits(text);
  std::erase_if(digits, [](unsigned char c) { return std::isxdigit(c) == 0; });
  std::vector<std::uint8_t> bytes(digits.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::from_chars(&digits[2 * i], &digits[2 * i] + 2, bytes[i], kHexadecimal);
  }
  return bytes;
}

class PngDecoder {
 public:
  explicit PngDecoder(const EncodedImage& file) : file_(file), handle_(state_) {
    state_.unread = file_.bytes;
    png_set_read_fn(handle_.png, &state_, on_read);
    // Only the chunks that make the pixels are read: libpng takes memory for others at their word.
    png_set_keep_unknown_chunks(handle_.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    run([this] { png_read_info(handle_.png, handle_.info); });
    file_.check_size(png_get_image_width(handle_.png, handle_.info), png_get_image_height(handle_.png, handle_.info));
  }

  Image decode() {
    const bool keep_alpha = file_.transparency != nullptr && has_alpha();
    run([this, keep_alpha] { ask_for_rgb(keep_alpha); });
    const StoredHeader size = header();
    Image image;
    image.width = size.width;
    image.height = size.height;
    const std::size_t row_bytes = static_cast<std::size_t>(size.width) * (keep_alpha ? 4 : 3);
    if (png_get_rowbytes(handle_.png, handle_.info) != row_bytes) {
      file_.refuse(ImageFormat::kPng, "its kind of pixels is not known");
    }
    image.pixels.resize(row_bytes * static_cast<std::size_t>(size.height));
    std::vector<png_bytep> rows;
    rows.reserve(static_cast<std::size_t>(size.height));
    for (std::size_t at = 0; at < image.pixels.size(); at += row_bytes) rows.push_back(image.pixels.data() + at);
    run([this, &rows] {
      png_read_image(handle_.png, rows.data());
      png_read_end(handle_.png, nullptr);
    });
    if (!keep_alpha) return image;
    return file_.transparency->flatten(std::move(image.pixels), size.width, size.height);
  }

  [[nodiscard]] StoredHeader header() const {
    return {static_cast<int>(png_get_image_width(handle_.png, handle_.info)),
            static_cast<int>(png_get_image_height(handle_.png, handle_.info)), orientation()};
  }

 private:
  template <typename Step>
  void run(const Step& step) {
    if (completes(state_, step)) return;
    file_.refuse(ImageFormat::kPng, state_.message.data());
  }

  /// Of its own, or by colours that count as transparent.
  [[nodiscard]] bool has_alpha() const {
    return (png_get_color_type(handle_.png, handle_.info) & PNG_COLOR_MASK_ALPHA) != 0 ||
           png_get_valid(handle_.png, handle_.info, PNG_INFO_tRNS) != 0;
  }

  void ask_for_rgb(bool keep_alpha) {
    png_set_strip_16(handle_.png);
    png_set_palette_to_rgb(handle_.png);
    png_set_expand_gray_1_2_4_to_8(handle_.png);
    png_set_gray_to_rgb(handle_.png);
    if (keep_alpha) {
      png_set_tRNS_to_alpha(handle_.png);
    } else {
      png_set_strip_alpha(handle_.png);
    }
    png_set_interlace_handling(handle_.png);
    png_read_update_info(handle_.png, handle_.info);
  }

  // eXIf may also stand behind the pixels, so the chunks are walked (PNG 3rd edition, 5.3: length, type, data, CRC).
  // Where there is none, ImageMagick's profile in a text counts, as in Pillow.
  [[nodiscard]] int orientation() const {
    constexpr std::size_t kFrameBytes = 12;
    std::span<const std::uint8_t> chunks = file_.bytes.subspan(kPngSignatureBytes);
    // Nobody writes more than one, and each takes time.
    constexpr int kMostProfiles = 16;
    int texts = 0;
    int by_profile = 1;
    while (chunks.size() >= kFrameBytes) {
      const std::size_t length = png_get_uint_32(chunks.data());
      if (length > chunks.size() - kFrameBytes) break;
      const std::string_view type = text_of(chunks.subspan(4, 4));
      const auto data = chunks.subspan(8, length);
      if (type == "eXIf") return exif_orientation(data);
      if ((type == "tEXt" || type == "zTXt") && ++texts <= kMostProfiles) {
        if (const int found = exif_orientation(raw_profile(data, type == "zTXt")); found != 1) by_profile = found;
      }
      chunks = chunks.subspan(kFrameBytes + length);
    }
    return by_profile;
  }

  const EncodedImage& file_;
  PngState state_;
  PngHandle handle_;
};

}  // namespace

StoredHeader read_png_header(const EncodedImage& file) {
  return PngDecoder(file).header();
}

Image decode_png(const EncodedImage& file) {
  return PngDecoder(file).decode();
}

}  // namespace unianimate
