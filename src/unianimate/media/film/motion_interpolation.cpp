#include "unianimate/media/film/motion_interpolation.h"

extern "C" {
#include <libavutil/imgutils.h>
}

#include <algorithm>
#include <deque>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/media/film/ffmpeg_handles.h"
#include "unianimate/media/film/frame_filter.h"

namespace unianimate {

namespace {

/// What the filter takes: whole blocks, beside the last of which nothing is moved, and two of them at least.
constexpr int filled_up(int side) {
  constexpr int kBlock = 16;
  return std::max(2, (side + kBlock - 1) / kBlock) * kBlock;
}

/// The picture with its last column and row repeated up to whole blocks.
Image filled_up(const Image& image) {
  Image filled(filled_up(image.width), filled_up(image.height));
  for (int y = 0; y < filled.height; ++y) {
    const auto from = image.row(std::min(y, image.height - 1));
    const auto to = filled.row(y);
    auto end = std::copy(from.begin(), from.end(), to.begin());
    while (end != to.end()) end = std::copy(from.end() - Image::kChannels, from.end(), end);
  }
  return filled;
}

/// From and to rgb24. The filter takes no RGB, so it works on luma and chroma at full resolution and range.
std::string interpolating_filters(int width, int height, int times) {
  return fmt::format(
      "scale=out_color_matrix=bt709:out_range=pc:flags=bicubic+accurate_rnd+full_chroma_int,format=yuv444p,"
      "minterpolate=fps={}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir,"
      "scale=in_color_matrix=bt709:in_range=pc:flags=bicubic+accurate_rnd+full_chroma_int,format=rgb24,"
      "crop={}:{}:0:0",
      times, width, height);
}

Image image_of(const AVFrame& frame) {
  Image image(frame.width, frame.height);
  const auto bytes = static_cast<int>(image.row_bytes());
  av_image_copy_plane(image.pixels.data(), bytes, frame.data[0], frame.linesize[0], bytes, frame.height);
  return image;
}

class InterpolatingSink final : public FrameSink {
 public:
  InterpolatingSink(std::unique_ptr<FrameSink> sink, int width, int height, int times)
      : sink_(std::move(sink)),
        width_(width),
        height_(height),
        times_(times),
        filter_(interpolating_filters(width, height, times), filled_up(width), filled_up(height), AV_PIX_FMT_RGB24,
                {1, 1}) {}

  void write(const Image& frame) override {
    check_frame_size(frame, width_, height_);
    waiting_.push_back(frame);
    filter_.push(filled_up(frame));
    write_filtered();
  }

  void finish() override {
    if (!waiting_.empty()) {
      const Image last = waiting_.back();
      const Image filled = filled_up(last);
      // The filter looks one frame ahead of the two that it works on, and gives nothing after the first of them.
      filter_.push(filled);
      filter_.push(filled);
      filter_.push_end();
      write_filtered();
      for (int i = 1; i < times_; ++i) sink_->write(last);
    }
    sink_->finish();
  }

  [[nodiscard]] std::string trouble() const override { return sink_->trouble(); }

 private:
  void write_filtered() {
    while (const ffmpeg::Frame frame = filter_.pull()) {
      if (waiting_.empty()) continue;  // between repetitions of the last frame
      if (frame->pts % times_ != 0) {
        sink_->write(image_of(*frame));
        continue;
      }
      sink_->write(waiting_.front());
      waiting_.pop_front();
    }
  }

  std::unique_ptr<FrameSink> sink_;
  int width_;
  int height_;
  int times_;
  ffmpeg::FrameFilter filter_;
  std::deque<Image> waiting_;  ///< what was written and has not come out of the filter
};

}  // namespace

std::unique_ptr<FrameSink> interpolate_motion(std::unique_ptr<FrameSink> sink, int width, int height, int times) {
  if (times < 2 || times > kMostInterpolated) {
    throw Error(ErrorKind::kUsage, "interpolation makes 2 to {} times as many frames, but {} was asked for",
                kMostInterpolated, times);
  }
  ffmpeg::be_quiet();
  return std::make_unique<InterpolatingSink>(std::move(sink), width, height, times);
}

}  // namespace unianimate
