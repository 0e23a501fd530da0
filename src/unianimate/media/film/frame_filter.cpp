#include "unianimate/media/film/frame_filter.h"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/imgutils.h>
}

#include "unianimate/core/error.h"

namespace unianimate::ffmpeg {

namespace {

struct FreeInOut {
  void operator()(AVFilterInOut* list) const { avfilter_inout_free(&list); }
};
using InOut = std::unique_ptr<AVFilterInOut, FreeInOut>;

void require(int code, std::string_view action) {
  if (code < 0) throw Error(ErrorKind::kEnvironment, "FFmpeg could not {}: {}", action, reason(code));
}

InOut open_end(const char* name, AVFilterContext* filter) {
  InOut end(allocated(avfilter_inout_alloc()));
  end->name = av_strdup(name);
  end->filter_ctx = filter;
  return end;
}

}  // namespace

FrameFilter::FrameFilter(const std::string& filters, int width, int height, AVPixelFormat format, AVRational frame_rate)
    : graph_(allocated(avfilter_graph_alloc())), input_width_(width), input_height_(height), input_format_(format) {
  const std::string input =
      fmt::format("video_size={}x{}:pix_fmt={}:time_base={}/{}:frame_rate={}/{}", width, height,
                  static_cast<int>(format), frame_rate.den, frame_rate.num, frame_rate.num, frame_rate.den);
  constexpr std::string_view kAction = "set up its video filters";
  require(avfilter_graph_create_filter(&source_, avfilter_get_by_name("buffer"), "in", input.c_str(), nullptr,
                                       graph_.get()),
          kAction);
  require(
      avfilter_graph_create_filter(&sink_, avfilter_get_by_name("buffersink"), "out", nullptr, nullptr, graph_.get()),
      kAction);
  AVFilterInOut* outputs = open_end("in", source_).release();
  AVFilterInOut* inputs = open_end("out", sink_).release();
  const int parsed = avfilter_graph_parse_ptr(graph_.get(), filters.c_str(), &inputs, &outputs, nullptr);
  avfilter_inout_free(&inputs);
  avfilter_inout_free(&outputs);
  require(parsed, kAction);
  require(avfilter_graph_config(graph_.get(), nullptr), kAction);
}

bool FrameFilter::takes(int width, int height, AVPixelFormat format) const {
  return width == input_width_ && height == input_height_ && format == input_format_;
}

void FrameFilter::push(Frame frame) {
  frame->pts = count_++;
  require(av_buffersrc_add_frame(source_, frame.get()), "take a frame");
}

void FrameFilter::push(const Image& image) {
  Frame frame(allocated(av_frame_alloc()));
  frame->format = AV_PIX_FMT_RGB24;
  frame->width = image.width;
  frame->height = image.height;
  require(av_frame_get_buffer(frame.get(), 0), "take a frame");
  av_image_copy_plane(frame->data[0], frame->linesize[0], image.pixels.data(), static_cast<int>(image.row_bytes()),
                      static_cast<int>(image.row_bytes()), image.height);
  push(std::move(frame));
}

void FrameFilter::push_end() {
  require(av_buffersrc_add_frame(source_, nullptr), "finish its video filters");
}

Frame FrameFilter::pull() {
  Frame frame(allocated(av_frame_alloc()));
  const int code = av_buffersink_get_frame(sink_, frame.get());
  if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return nullptr;
  require(code, "filter a frame");
  return frame;
}

int FrameFilter::width() const {
  return av_buffersink_get_w(sink_);
}
int FrameFilter::height() const {
  return av_buffersink_get_h(sink_);
}
AVPixelFormat FrameFilter::pixel_format() const {
  return static_cast<AVPixelFormat>(av_buffersink_get_format(sink_));
}

}  // namespace unianimate::ffmpeg
