#include "media/encoded_video.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <cmath>
#include <stdexcept>

namespace unianimate::testing {

namespace {

constexpr Encoding kContainers[] = {
    {"mov", "mp4", "libx264", "yuv420p"},
    {"matroska", "matroska", "libx264", "yuv420p"},
    {"avi", "avi", "mpeg4", "yuv420p"},
    {"gif", "gif", "gif", "gray"},
    {"apng", "apng", "apng", "rgb24"},
    {"mjpeg", "mjpeg", "mjpeg", "yuvj420p"},
    {"mpjpeg", "mpjpeg", "mjpeg", "yuvj420p"},
    {"mpegts", "mpegts", "mpeg2video", "yuv420p"},
    {"mpeg", "mpeg", "mpeg1video", "yuv420p"},
    {"mpegvideo", "mpeg1video", "mpeg1video", "yuv420p"},
    {"m4v", "m4v", "mpeg4", "yuv420p"},
    {"flv", "flv", "flv", "yuv420p"},
    {"ogg", "ogg", "libtheora", "yuv420p"},
    {"asf", "asf", "msmpeg4", "yuv420p"},
    {"h264", "h264", "libx264", "yuv420p"},
    {"hevc", "hevc", "libx265", "yuv420p"},
    {"ivf", "ivf", "libvpx", "yuv420p"},
    {"obu", "obu", "libaom-av1", "yuv420p"},
    {"yuv4mpegpipe", "yuv4mpegpipe", "wrapped_avframe", "yuv420p"},
    {"avif", "avif", "libaom-av1", "yuv420p"},
    {"webp", "webp", "libwebp_anim", "bgra"},
};

void require(int code) {
  if (code < 0) throw std::runtime_error("FFmpeg cannot write the test's video");
}

class Encoder {
 public:
  Encoder(const std::filesystem::path& path, const Encoding& encoding, const Image& first, int ticks_per_second)
      : packet_(av_packet_alloc()), frame_(av_frame_alloc()) {
    av_log_set_level(AV_LOG_QUIET);
    require(avformat_alloc_output_context2(&container_, nullptr, encoding.muxer, path.c_str()));
    const AVCodec* codec = avcodec_find_encoder_by_name(encoding.encoder);
    encoder_ = avcodec_alloc_context3(codec);
    encoder_->width = first.width;
    encoder_->height = first.height;
    encoder_->pix_fmt = av_get_pix_fmt(encoding.pixel_format);
    encoder_->time_base = {1, ticks_per_second};
    encoder_->framerate = {ticks_per_second, 1};
    encoder_->thread_count = 1;
    encoder_->strict_std_compliance = FF_COMPLIANCE_UNOFFICIAL;
    container_->flags |= AVFMT_FLAG_BITEXACT;
    if ((container_->oformat->flags & AVFMT_GLOBALHEADER) != 0) encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    AVDictionary* options = nullptr;
    av_dict_set(&options, "x265-params", "log-level=none:pools=none:frame-threads=1", 0);
    av_dict_set(&options, "cpu-used", "8", 0);
    const int opened = avcodec_open2(encoder_, codec, &options);
    av_dict_free(&options);
    require(opened);
    stream_ = avformat_new_stream(container_, nullptr);
    avcodec_parameters_from_context(stream_->codecpar, encoder_);
    stream_->time_base = encoder_->time_base;
    stream_->avg_frame_rate = encoder_->framerate;
    if ((container_->oformat->flags & AVFMT_NOFILE) == 0) {
      require(avio_open(&container_->pb, path.c_str(), AVIO_FLAG_WRITE));
    }
    require(avformat_write_header(container_, nullptr));
    frame_->format = encoder_->pix_fmt;
    frame_->width = first.width;
    frame_->height = first.height;
    require(av_frame_get_buffer(frame_, 0));
    scaler_ = sws_getContext(first.width, first.height, AV_PIX_FMT_RGB24, first.width, first.height, encoder_->pix_fmt,
                             SWS_BICUBIC, nullptr, nullptr, nullptr);
  }
  ~Encoder() {
    sws_freeContext(scaler_);
    av_frame_free(&frame_);
    av_packet_free(&packet_);
    avcodec_free_context(&encoder_);
    avio_closep(&container_->pb);
    avformat_free_context(container_);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  void write(const Image& image, std::int64_t tick) {
    require(av_frame_make_writable(frame_));
    const std::uint8_t* planes[] = {image.pixels.data()};
    const int bytes[] = {static_cast<int>(image.row_bytes())};
    require(sws_scale(scaler_, planes, bytes, 0, image.height, frame_->data, frame_->linesize));
    frame_->pts = tick;
    encode(frame_);
  }
  void finish() {
    encode(nullptr);
    require(av_write_trailer(container_));
  }

 private:
  void encode(const AVFrame* frame) {
    require(avcodec_send_frame(encoder_, frame));
    while (avcodec_receive_packet(encoder_, packet_) >= 0) {
      av_packet_rescale_ts(packet_, encoder_->time_base, stream_->time_base);
      packet_->stream_index = stream_->index;
      require(av_interleaved_write_frame(container_, packet_));
    }
  }

  AVFormatContext* container_ = nullptr;
  AVCodecContext* encoder_ = nullptr;
  AVStream* stream_ = nullptr;
  SwsContext* scaler_ = nullptr;
  AVPacket* packet_;
  AVFrame* frame_;
};

}  // namespace

std::span<const Encoding> every_container() {
  return kContainers;
}

void write_encoded(const std::filesystem::path& path, const Encoding& encoding, const std::vector<Image>& frames,
                   const std::vector<double>& seconds, int ticks_per_second) {
  Encoder encoder(path, encoding, frames.front(), ticks_per_second);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    encoder.write(frames[i], std::llround(seconds[i] * ticks_per_second));
  }
  encoder.finish();
}

}  // namespace unianimate::testing
