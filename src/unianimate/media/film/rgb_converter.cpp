#include "unianimate/media/film/rgb_converter.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/media/film/stream_decoder.h"

namespace unianimate::ffmpeg {

namespace {

// Light of 100 cd/m² becomes white before the Mobius curve makes room for what is brighter.
constexpr const char* kToneMapping =
    "zscale=transfer=linear:npl=100:primaries=bt709,format=gbrpf32le,tonemap=mobius:desat=0,"
    "zscale=transfer=bt709:range=full,format=gbrp";

// The tone mapper refuses chroma that does not cover whole pixels.
constexpr const char* kWholeChroma = "format=yuv444p16le";

constexpr double kMaxPixelAspect = 10;

// A multiple of the period of the scaler's dithering.
constexpr int kRowsAtOnce = 64;

bool is_hdr(const AVFrame& frame) {
  return frame.color_trc == AVCOL_TRC_SMPTE2084 || frame.color_trc == AVCOL_TRC_ARIB_STD_B67;
}

// Ten bits a channel and more, which are fastest made 8 before they become RGB.
bool is_deep_yuv420(const AVFrame& frame) {
  const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  return pixels != nullptr && pixels->log2_chroma_w == 1 && pixels->log2_chroma_h == 1 && pixels->comp[0].depth > 8;
}

// HDR videos with incomplete labels are BT.2020 in limited range.
void complete_hdr_labels(AVFrame& frame) {
  if (frame.color_primaries == AVCOL_PRI_UNSPECIFIED) frame.color_primaries = AVCOL_PRI_BT2020;
  if (frame.colorspace == AVCOL_SPC_UNSPECIFIED) frame.colorspace = AVCOL_SPC_BT2020_NCL;
  if (frame.color_range == AVCOL_RANGE_UNSPECIFIED) frame.color_range = AVCOL_RANGE_MPEG;
}

// Whether each row of pixels has its own colours, so that some can be converted without the others.
bool has_independent_rows(const AVFrame& frame) {
  const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  return pixels != nullptr && pixels->log2_chroma_h == 0 && (pixels->flags & AV_PIX_FMT_FLAG_BAYER) == 0;
}

std::string joined(const std::string& first, const std::string& second) {
  return first.empty() || second.empty() ? first + second : first + "," + second;
}

std::pair<int, int> square_pixels(int width, int height, double pixel_aspect) {
  if (pixel_aspect > 1) width = static_cast<int>(std::lround(width * pixel_aspect));
  if (pixel_aspect < 1) height = static_cast<int>(std::lround(height / pixel_aspect));
  return {width, height};
}

double sensible_aspect(AVRational pixel_aspect) {
  if (pixel_aspect.num <= 0 || pixel_aspect.den <= 0) return 1;
  const double aspect = av_q2d(pixel_aspect);
  return aspect >= 1 / kMaxPixelAspect && aspect <= kMaxPixelAspect ? aspect : 1;
}

}  // namespace

std::string filters_to_upright(const std::int32_t* matrix) {
  if (matrix == nullptr) return "";
  // Column x and line y are shown at (xx·x + yx·y, xy·x + yy·y).
  const std::int64_t xx = matrix[0];
  const std::int64_t xy = matrix[1];
  const std::int64_t yx = matrix[3];
  const std::int64_t yy = matrix[4];
  if (std::abs(xx) + std::abs(yy) >= std::abs(xy) + std::abs(yx)) {
    return joined(xx < 0 ? "hflip" : "", yy < 0 ? "vflip" : "");
  }
  if (yx < 0) return xy < 0 ? "transpose=clock_flip" : "transpose=clock";
  return xy < 0 ? "transpose=cclock" : "transpose=cclock_flip";
}

RgbConverter::RgbConverter(std::filesystem::path path, const AVFrame& first, AVRational pixel_aspect,
                           std::string upright, std::int64_t max_pixels)
    : path_(std::move(path)), upright_(std::move(upright)) {
  std::tie(width_, height_) = square_pixels(first.width, first.height, sensible_aspect(pixel_aspect));
  if (upright_.starts_with("transpose")) std::swap(width_, height_);
  if (std::int64_t{width_} * height_ > max_pixels) {
    refuse_video(path_, fmt::format("with square pixels its frames are {}×{} pixels, but at most {} pixels are read",
                                    width_, height_, max_pixels));
  }
  convert(first);
  if (!is_hdr(first)) return;
  note_ = first.color_trc == AVCOL_TRC_SMPTE2084 ? "HDR (PQ)" : "HDR (HLG)";
  note_ += tone_maps_ ? " tone-mapped to BT.709" : " without the tone mapping that this FFmpeg lacks";
}

Image RgbConverter::convert(const AVFrame& frame) {
  const std::string turning = joined(is_deep_yuv420(frame) ? "format=yuv420p" : "", upright_);
  if (!is_hdr(frame) || !tone_maps_) return to_rgb(*filtered(frame, turning));
  try {
    const bool odd = frame.width % 2 + frame.height % 2 > 0;
    return to_rgb(*filtered(frame, joined(joined(odd ? kWholeChroma : "", kToneMapping), upright_)));
  } catch (const Error&) {
    // Without zscale (libzimg) in FFmpeg, or with labels it cannot follow, there are still pictures, if pale ones.
    tone_maps_ = false;
    return convert(frame);
  }
}

Frame RgbConverter::filtered(const AVFrame& frame, const std::string& filters) {
  Frame copy(allocated(av_frame_clone(&frame)));
  if (filters.empty()) return copy;
  if (is_hdr(frame)) complete_hdr_labels(*copy);
  const auto format = static_cast<AVPixelFormat>(frame.format);
  if (!filter_ || filters != filters_ || !filter_->takes(frame.width, frame.height, format)) {
    constexpr AVRational kAnyRate{25, 1};
    filter_ = std::make_unique<FrameFilter>(filters, frame.width, frame.height, format, kAnyRate);
    filters_ = filters;
  }
  filter_->push(std::move(copy));
  Frame result = filter_->pull();
  if (!result) refuse_video(path_, "FFmpeg's filters gave no frame");
  return result;
}

Image RgbConverter::to_rgb(const AVFrame& source) {
  Image image;
  image.width = width_;
  image.height = height_;
  image.pixels.reserve(image.row_bytes() * static_cast<std::size_t>(height_));
  const bool in_pieces = std::int64_t{width_} * height_ > kLargePixels && source.width == width_ &&
                         source.height == height_ && has_independent_rows(source);
  const int rows = in_pieces ? kRowsAtOnce : height_;
  for (int top = 0; top < height_; top += rows) convert_rows(source, top, std::min(rows, height_ - top), image);
  return image;
}

// Appends rows of the result, all of them or, of a source of the same size, some.
void RgbConverter::convert_rows(const AVFrame& source, int top, int rows, Image& image) {
  const int source_rows = rows == height_ ? source.height : rows;
  // At the same size this is the converter that FFmpeg and OpenCV take by default, which repeats the chroma.
  scaler_.reset(sws_getCachedContext(scaler_.release(), source.width, source_rows,
                                     static_cast<AVPixelFormat>(source.format), width_, rows, AV_PIX_FMT_RGB24,
                                     SWS_BICUBIC | SWS_FULL_CHR_H_INT, nullptr, nullptr, nullptr));
  if (!scaler_) refuse_video(path_, "its pixels are of a kind that cannot be converted");
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(source.colorspace),
                           source.color_range == AVCOL_RANGE_JPEG ? 1 : 0, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0,
                           1 << 16, 1 << 16);
  make_room(rows);
  std::array<const std::uint8_t*, AV_NUM_DATA_POINTERS> planes{};
  const int count = av_pix_fmt_count_planes(static_cast<AVPixelFormat>(source.format));
  for (std::size_t i = 0; i < planes.size(); ++i) {
    const bool moves = static_cast<int>(i) < count && source.data[i] != nullptr;
    planes[i] = moves ? source.data[i] + std::ptrdiff_t{top} * source.linesize[i] : source.data[i];
  }
  const int lines =
      sws_scale(scaler_.get(), planes.data(), source.linesize, 0, source_rows, rgb_->data, rgb_->linesize);
  if (lines < 0) refuse_video(path_, reason(lines));
  for (int y = 0; y < rows; ++y) {
    const std::uint8_t* row = rgb_->data[0] + std::ptrdiff_t{y} * rgb_->linesize[0];
    image.pixels.insert(image.pixels.end(), row, row + image.row_bytes());
  }
}

// The scaler may write past the end of a row, so it gets a frame with padded rows.
void RgbConverter::make_room(int rows) {
  if (rgb_->height >= rows) return;
  av_frame_unref(rgb_.get());
  rgb_->format = AV_PIX_FMT_RGB24;
  rgb_->width = width_;
  rgb_->height = rows;
  if (av_frame_get_buffer(rgb_.get(), 0) < 0) throw std::bad_alloc();
}

}  // namespace unianimate::ffmpeg
