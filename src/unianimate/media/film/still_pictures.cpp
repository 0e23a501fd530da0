#include "unianimate/media/film/still_pictures.h"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "unianimate/media/film/ffmpeg_handles.h"
#include "unianimate/media/pictures/exif.h"
#include "unianimate/media/pictures/further_pictures.h"

namespace unianimate {

namespace {

std::int64_t little_endian(std::span<const std::uint8_t> bytes, std::size_t offset, std::size_t size) {
  std::int64_t value = 0;
  for (std::size_t i = size; i > 0; --i) value = value << 8 | (offset + i <= bytes.size() ? bytes[offset + i - 1] : 0);
  return value;
}

struct Size {
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// Of the logical screen.
Size gif_size(std::span<const std::uint8_t> bytes) {
  return {little_endian(bytes, 6, 2), little_endian(bytes, 8, 2)};
}

/// The header of OS/2 has 16 bits for each; a negative height means rows from the top.
Size bmp_size(std::span<const std::uint8_t> bytes) {
  constexpr std::int64_t kOs2Header = 12;
  if (little_endian(bytes, 14, 4) == kOs2Header) return {little_endian(bytes, 18, 2), little_endian(bytes, 20, 2)};
  return {little_endian(bytes, 18, 4), std::abs(std::int64_t{static_cast<std::int32_t>(little_endian(bytes, 22, 4))})};
}

Size tiff_size(std::span<const std::uint8_t> bytes) {
  constexpr std::uint32_t kWidthTag = 0x0100;
  constexpr std::uint32_t kHeightTag = 0x0101;
  return {tiff_integer(bytes, kWidthTag).value_or(0), tiff_integer(bytes, kHeightTag).value_or(0)};
}

struct StillCodec {
  ImageFormat format;
  AVCodecID codec;
  Size (*size)(std::span<const std::uint8_t>);
};

constexpr StillCodec kStillCodecs[] = {
    {ImageFormat::kGif, AV_CODEC_ID_GIF, gif_size},
    {ImageFormat::kBmp, AV_CODEC_ID_BMP, bmp_size},
    {ImageFormat::kTiff, AV_CODEC_ID_TIFF, tiff_size},
};

const StillCodec& codec_of(const EncodedImage& file) {
  const std::uint8_t first = file.bytes.front();
  return kStillCodecs[first == 'G' ? 0 : first == 'B' ? 1 : 2];
}

/// The first picture of the file, in the decoder's own kind of pixels.
ffmpeg::Frame decode_first(const EncodedImage& file, const StillCodec& still) {
  ffmpeg::be_quiet();
  const auto check = [&](int code) {
    if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
    if (code < 0) file.refuse(still.format, ffmpeg::reason(code));
  };
  const AVCodec* codec = avcodec_find_decoder(still.codec);
  if (codec == nullptr) file.refuse(still.format, "this FFmpeg has no decoder for it");
  const ffmpeg::Codec decoder(ffmpeg::allocated(avcodec_alloc_context3(codec)));
  decoder->thread_count = 1;
  decoder->max_pixels = file.limits.max_pixels;
  check(avcodec_open2(decoder.get(), codec, nullptr));
  const ffmpeg::Packet packet(ffmpeg::allocated(av_packet_alloc()));
  check(av_new_packet(packet.get(), static_cast<int>(file.bytes.size())));
  std::ranges::copy(file.bytes, packet->data);
  check(avcodec_send_packet(decoder.get(), packet.get()));
  check(avcodec_send_packet(decoder.get(), nullptr));
  ffmpeg::Frame frame(ffmpeg::allocated(av_frame_alloc()));
  check(avcodec_receive_frame(decoder.get(), frame.get()));
  if (frame->decode_error_flags != 0) file.refuse(still.format, "its data is damaged");
  return frame;
}

bool has_alpha(const AVFrame& frame) {
  const AVPixFmtDescriptor* kind = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  return kind != nullptr && (kind->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
}

StoredHeader read_still_header(const EncodedImage& file) {
  const StillCodec& still = codec_of(file);
  const Size size = still.size(file.bytes);
  constexpr std::int64_t kLongestSide = 1 << 20;
  if (size.width < 1 || size.height < 1) file.refuse(still.format, "it does not say its size");
  if (std::max(size.width, size.height) > kLongestSide) file.refuse(still.format, "its size makes no sense");
  file.check_size(size.width, size.height);
  const int orientation = still.format == ImageFormat::kTiff ? exif_orientation(file.bytes) : 1;
  return {static_cast<int>(size.width), static_cast<int>(size.height), orientation};
}

Image decode_still(const EncodedImage& file) {
  const StillCodec& still = codec_of(file);
  const StoredHeader header = read_still_header(file);
  const ffmpeg::Frame frame = decode_first(file, still);
  if (frame->width != header.width || frame->height != header.height) {
    file.refuse(still.format, "its picture is not of the size that it says");
  }
  const bool keep_alpha = file.transparency != nullptr && has_alpha(*frame);
  const ffmpeg::Scaler scaler(sws_getContext(
      frame->width, frame->height, static_cast<AVPixelFormat>(frame->format), frame->width, frame->height,
      keep_alpha ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24, SWS_POINT | SWS_ACCURATE_RND, nullptr, nullptr, nullptr));
  if (!scaler) file.refuse(still.format, "its kind of pixels is not known");
  Image image;
  image.width = frame->width;
  image.height = frame->height;
  const int row_bytes = frame->width * (keep_alpha ? 4 : 3);
  const std::size_t bytes = static_cast<std::size_t>(row_bytes) * static_cast<std::size_t>(frame->height);
  image.pixels.resize(bytes + AV_INPUT_BUFFER_PADDING_SIZE);  // the scaler may write past the end of a row
  std::uint8_t* const planes[] = {image.pixels.data()};
  const int strides[] = {row_bytes};
  sws_scale(scaler.get(), frame->data, frame->linesize, 0, frame->height, planes, strides);
  image.pixels.resize(bytes);
  if (!keep_alpha) return image;
  return file.transparency->flatten(std::move(image.pixels), header.width, header.height);
}

}  // namespace

void read_further_pictures() {
  static constexpr FurtherDecoder kDecoder{read_still_header, decode_still};
  set_further_decoder(&kDecoder);
}

}  // namespace unianimate
