// Inside media: FFmpeg's structures as owners, and its return codes as errors.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

#include <filesystem>
#include <memory>
#include <string>

namespace unianimate::ffmpeg {

template <auto Free>
struct FreeByPointerToPointer {
  template <typename T>
  void operator()(T* object) const {
    Free(&object);
  }
};

struct CloseOutput {
  void operator()(AVFormatContext* context) const {
    avio_closep(&context->pb);
    avformat_free_context(context);
  }
};

struct FreeScaler {
  void operator()(SwsContext* context) const { sws_freeContext(context); }
};

using Codec = std::unique_ptr<AVCodecContext, FreeByPointerToPointer<avcodec_free_context>>;
using FilterGraph = std::unique_ptr<AVFilterGraph, FreeByPointerToPointer<avfilter_graph_free>>;
using Frame = std::unique_ptr<AVFrame, FreeByPointerToPointer<av_frame_free>>;
using Input = std::unique_ptr<AVFormatContext, FreeByPointerToPointer<avformat_close_input>>;
using Output = std::unique_ptr<AVFormatContext, CloseOutput>;
using Packet = std::unique_ptr<AVPacket, FreeByPointerToPointer<av_packet_free>>;
using Scaler = std::unique_ptr<SwsContext, FreeScaler>;

/// What a function returned that gives null when memory is short. Throws std::bad_alloc for null.
template <typename T>
T* allocated(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

/// FFmpeg's words for a return code below 0.
std::string reason(int code);

/// FFmpeg prints to nobody from now on.
void be_quiet();

/// The URL by which FFmpeg opens this file and nothing else, whatever its name looks like.
std::string file_url(const std::filesystem::path& path);

}  // namespace unianimate::ffmpeg
