#include <algorithm>
#include <string_view>

#include "unianimate/media/pictures/exif.h"
#include "unianimate/media/pictures/image_codecs.h"
#include "unianimate/media/pictures/jpeg_errors.h"

namespace unianimate {

namespace {

constexpr int kExifMarker = JPEG_APP0 + 1;
// More progressive scans than any encoder writes, few enough that a hostile file cannot stall the program.
constexpr int kMaxScans = 500;

void limit_scans(j_common_ptr codec) {
  auto* decoder = reinterpret_cast<j_decompress_ptr>(codec);
  if (decoder->input_scan_number <= kMaxScans) return;
  auto& errors = *static_cast<JpegErrors*>(codec->client_data);
  constexpr std::string_view kReason = "it has too many scans";
  std::ranges::copy(kReason, errors.message.begin());
  errors.jump_back();
}

struct JpegHandle {
  jpeg_decompress_struct decoder{};

  JpegHandle() = default;
  ~JpegHandle() { jpeg_destroy_decompress(&decoder); }
  JpegHandle(const JpegHandle&) = delete;
  JpegHandle& operator=(const JpegHandle&) = delete;
};

class JpegDecoder {
 public:
  explicit JpegDecoder(const EncodedImage& file) : file_(file) {
    decoder_.err = &errors_.manager;
    decoder_.client_data = &errors_;
    progress_.progress_monitor = limit_scans;
    run([this] {
      jpeg_create_decompress(&decoder_);
      decoder_.progress = &progress_;
      jpeg_mem_src(&decoder_, file_.bytes.data(), file_.bytes.size());
      jpeg_save_markers(&decoder_, kExifMarker, 0xffff);
      jpeg_read_header(&decoder_, TRUE);
    });
    file_.check_size(decoder_.image_width, decoder_.image_height);
  }

  [[nodiscard]] StoredHeader header() const {
    StoredHeader header{static_cast<int>(decoder_.image_width), static_cast<int>(decoder_.image_height), 1};
    for (auto* marker = decoder_.marker_list; marker != nullptr; marker = marker->next) {
      const int orientation = exif_orientation({marker->data, marker->data_length});
      if (orientation != 1) header.orientation = orientation;
    }
    return header;
  }

  Image decode() {
    const bool cmyk = decoder_.jpeg_color_space == JCS_CMYK || decoder_.jpeg_color_space == JCS_YCCK;
    decoder_.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    run([this] { jpeg_start_decompress(&decoder_); });
    Image image(static_cast<int>(decoder_.output_width), static_cast<int>(decoder_.output_height));
    std::vector<std::uint8_t> inks(cmyk ? std::size_t{decoder_.output_width} * 4 : 0);
    for (int y = 0; y < image.height; ++y) {
      const auto pixels = image.row(y);
      JSAMPROW line = cmyk ? inks.data() : pixels.data();
      run([this, &line] { jpeg_read_scanlines(&decoder_, &line, 1); });
      if (cmyk) to_rgb(inks, pixels);
    }
    run([this] { jpeg_finish_decompress(&decoder_); });
    return image;
  }

 private:
  template <typename Step>
  void run(const Step& step) {
    if (completes(errors_, step)) return;
    const std::string reason = errors_.message.data();
    file_.refuse(ImageFormat::kJpeg, reason);
  }

  // Pillow's cmyk2rgb; Adobe's files hold 255 minus the ink.
  static void to_rgb(std::span<const std::uint8_t> inks, std::span<std::uint8_t> pixels) {
    for (std::size_t i = 0; i * 4 < inks.size(); ++i) {
      const int not_black = inks[i * 4 + 3];
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const int product = (255 - inks[i * 4 + channel]) * not_black + 128;
        pixels[i * 3 + channel] = static_cast<std::uint8_t>(std::max(0, not_black - (((product >> 8) + product) >> 8)));
      }
    }
  }

  const EncodedImage& file_;
  JpegErrors errors_;
  jpeg_progress_mgr progress_{};
  JpegHandle handle_;
  jpeg_decompress_struct& decoder_ = handle_.decoder;
};

}  // namespace

StoredHeader read_jpeg_header(const EncodedImage& file) {
  return JpegDecoder(file).header();
}

Image decode_jpeg(const EncodedImage& file) {
  return JpegDecoder(file).decode();
}

}  // namespace unianimate
