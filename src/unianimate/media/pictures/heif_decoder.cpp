#include <libheif/heif.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "unianimate/core/error.h"
#include "unianimate/media/pictures/hevc_sizes.h"
#include "unianimate/media/pictures/image_codecs.h"

namespace unianimate {

namespace {

template <auto Free>
struct FreeBy {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Context = std::unique_ptr<heif_context, FreeBy<heif_context_free>>;
using Handle = std::unique_ptr<heif_image_handle, FreeBy<heif_image_handle_release>>;
using Decoded = std::unique_ptr<heif_image, FreeBy<heif_image_release>>;
using Options = std::unique_ptr<heif_decoding_options, FreeBy<heif_decoding_options_free>>;

ImageFormat format_of(const EncodedImage& file) {
  constexpr std::size_t kBrand = 8;
  return file.bytes[kBrand] == 'a' ? ImageFormat::kAvif : ImageFormat::kHeic;
}

class HeifDecoder {
 public:
  explicit HeifDecoder(const EncodedImage& file) : file_(file), context_(heif_context_alloc()) {
    if (!context_) throw std::bad_alloc();
    require(heif_context_read_from_memory_without_copy(context_.get(), file.bytes.data(), file.bytes.size(), nullptr));
    heif_image_handle* primary = nullptr;
    require(heif_context_get_primary_image_handle(context_.get(), &primary));
    primary_.reset(primary);
    const StoredHeader size = header();
    file_.check_size(size.width, size.height);
    // What a picture is put together from may claim other sizes than the picture itself.
    constexpr int kAlwaysAllowed = 4096;
    constexpr int kPadding = 64;
    const int longest = std::max({size.width + kPadding, size.height + kPadding, kAlwaysAllowed});
    heif_context_set_maximum_image_size_limit(context_.get(), longest);
    if (longest_hevc_side(file.bytes) > longest) {
      file_.refuse(format_of(file_), "its coded pictures are larger than it says");
    }
  }

  /// libheif turns and mirrors by itself, so it stands upright, whatever EXIF data says.
  [[nodiscard]] StoredHeader header() const {
    return {heif_image_handle_get_width(primary_.get()), heif_image_handle_get_height(primary_.get()), 1};
  }

  Image decode() {
    const Options options(heif_decoding_options_alloc());
    if (!options) throw std::bad_alloc();
    options->convert_hdr_to_8bit = 1;
    const bool keep_alpha = file_.transparency != nullptr && heif_image_handle_has_alpha_channel(primary_.get()) != 0;
    heif_image* image = nullptr;
    require(heif_decode_image(primary_.get(), &image, heif_colorspace_RGB,
                              keep_alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, options.get()));
    const Decoded decoded(image);
    const StoredHeader size = header();
    int stride = 0;
    const std::uint8_t* line = heif_image_get_plane_readonly(image, heif_channel_interleaved, &stride);
    if (line == nullptr || heif_image_get_width(image, heif_channel_interleaved) != size.width ||
        heif_image_get_height(image, heif_channel_interleaved) != size.height) {
      file_.refuse(format_of(file_), "its picture is not of the size that it says");
    }
    Image result(size.width, size.height);
    for (int y = 0; y < result.height; ++y, line += stride) {
      const auto row = result.row(y);
      if (keep_alpha) {
        file_.transparency->flatten({line, static_cast<std::size_t>(result.width) * 4}, row);
      } else {
        std::copy_n(line, row.size(), row.begin());
      }
    }
    return result;
  }

 private:
  void require(const heif_error& error) const {
    if (error.code == heif_error_Ok) return;
    const bool is_avif = format_of(file_) == ImageFormat::kAvif;
    if (heif_have_decoder_for_format(is_avif ? heif_compression_AV1 : heif_compression_HEVC) == 0) {
      throw Error(ErrorKind::kEnvironment,
                  "{} cannot be decoded, because this machine's libheif has no decoder for {} pictures; install {}, or "
                  "convert it to JPEG or PNG",
                  file_.name, image_format_name(format_of(file_)),
                  is_avif ? "libheif-plugin-aomdec" : "libheif-plugin-libde265");
    }
    file_.refuse(format_of(file_), error.message);
  }

  const EncodedImage& file_;
  Context context_;
  Handle primary_;
};

}  // namespace

StoredHeader read_heif_header(const EncodedImage& file) {
  return HeifDecoder(file).header();
}

Image decode_heif(const EncodedImage& file) {
  return HeifDecoder(file).decode();
}

}  // namespace unianimate
