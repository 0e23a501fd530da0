#include "unianimate/media/video_reader.h"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

#include <cmath>

#include "unianimate/core/error.h"
#include "unianimate/media/ffmpeg_handles.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

// Containers that hold their own data. Playlists and scripts, which name other files, are left out.
constexpr const char* kDemuxers = "mov,matroska,avi,gif,mpegts,mpeg,flv,ogg,asf,h264,hevc,ivf";

}  // namespace

class VideoReader::Decoder {
 public:
  Decoder(const fs::path& path, const ReadLimits& limits) : path_(path.string()) {
    ffmpeg::be_quiet();
    open_container(path);
    open_codec(limits);
    info_ = {codec_->width,
             codec_->height,
             av_q2d(av_guess_frame_rate(container_.get(), stream_, nullptr)),
             frame_count(),
             avcodec_get_name(codec_->codec_id),
             std::string(name_or_empty(av_get_pix_fmt_name(codec_->pix_fmt)))};
  }

  [[nodiscard]] const VideoInfo& info() const { return info_; }

  std::optional<Image> next() {
    while (true) {
      const int received = avcodec_receive_frame(codec_.get(), frame_.get());
      if (received == AVERROR_EOF && !any_frame_) refuse("it holds no frames");
      if (received == AVERROR_EOF) return std::nullopt;
      if (received == 0) {
        any_frame_ = true;
        return to_rgb();
      }
      if (received != AVERROR(EAGAIN)) refuse(ffmpeg::reason(received));
      send_packet();
    }
  }

 private:
  [[noreturn]] void refuse(std::string_view reason) const {
    throw Error(ErrorKind::kInput, "the video {} cannot be read: {}; replace the file", path_, printable(reason));
  }
  void require(int code) const {
    if (code < 0) refuse(ffmpeg::reason(code));
  }

  static std::string_view name_or_empty(const char* name) { return name == nullptr ? "" : name; }

  void open_container(const fs::path& path) {
    if (!fs::is_regular_file(path)) {
      throw Error(ErrorKind::kInput, "the video {} {}; give a video file", path_,
                  fs::exists(path) ? "is not a file" : "does not exist");
    }
    AVDictionary* options = nullptr;
    av_dict_set(&options, "protocol_whitelist", "file", 0);
    av_dict_set(&options, "format_whitelist", kDemuxers, 0);
    AVFormatContext* container = nullptr;
    const int opened = avformat_open_input(&container, ffmpeg::file_url(path).c_str(), nullptr, &options);
    av_dict_free(&options);
    require(opened);
    container_.reset(container);
    require(avformat_find_stream_info(container_.get(), nullptr));
  }

  void open_codec(const ReadLimits& limits) {
    const AVCodec* decoder = nullptr;
    const int index = av_find_best_stream(container_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
    if (index == AVERROR_STREAM_NOT_FOUND) refuse("it holds no video stream");
    require(index);
    stream_ = container_->streams[index];
    check_index();
    codec_.reset(ffmpeg::allocated(avcodec_alloc_context3(decoder)));
    require(avcodec_parameters_to_context(codec_.get(), stream_->codecpar));
    const std::int64_t pixels = std::int64_t{codec_->width} * codec_->height;
    if (pixels < 1 || pixels > limits.max_pixels) {
      refuse(fmt::format("it says its frames are {}×{} pixels, but at most {} pixels are read", codec_->width,
                         codec_->height, limits.max_pixels));
    }
    codec_->max_pixels = limits.max_pixels;
    codec_->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
    codec_->thread_count = 0;
    require(avcodec_open2(codec_.get(), decoder, nullptr));
  }

  // FFmpeg takes frames beyond the end of the file for the end of the video.
  void check_index() const {
    const std::int64_t file_bytes = avio_size(container_->pb);
    const int entries = avformat_index_get_entries_count(stream_);
    for (int i = 0; i < entries; ++i) {
      const AVIndexEntry* entry = avformat_index_get_entry(stream_, i);
      if (entry->size > file_bytes || entry->pos > file_bytes - entry->size) refuse("the file ends early");
    }
  }

  [[nodiscard]] std::int64_t frame_count() const {
    if (stream_->nb_frames > 0) return stream_->nb_frames;
    if (container_->duration <= 0) return 0;
    const double seconds = static_cast<double>(container_->duration) / AV_TIME_BASE;
    return std::llround(seconds * av_q2d(av_guess_frame_rate(container_.get(), stream_, nullptr)));
  }

  void send_packet() {
    while (true) {
      const int read = av_read_frame(container_.get(), packet_.get());
      if (read == AVERROR_EOF) {
        if (container_->pb != nullptr && container_->pb->error < 0) require(container_->pb->error);
        require(avcodec_send_packet(codec_.get(), nullptr));
        return;
      }
      require(read);
      const bool wanted = packet_->stream_index == stream_->index;
      if (wanted && (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0) refuse("it is damaged or ends early");
      const int sent = wanted ? avcodec_send_packet(codec_.get(), packet_.get()) : 0;
      av_packet_unref(packet_.get());
      require(sent);
      if (wanted) return;
    }
  }

  Image to_rgb() {
    if (frame_->width != info_.width || frame_->height != info_.height) refuse("its frames change their size");
    scaler_.reset(sws_getCachedContext(scaler_.release(), frame_->width, frame_->height,
                                       static_cast<AVPixelFormat>(frame_->format), frame_->width, frame_->height,
                                       AV_PIX_FMT_RGB24, SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr,
                                       nullptr, nullptr));
    if (!scaler_) refuse("its pixels are of a kind that cannot be converted");
    const int* matrix = sws_getCoefficients(frame_->colorspace);
    sws_setColorspaceDetails(scaler_.get(), matrix, frame_->color_range == AVCOL_RANGE_JPEG ? 1 : 0,
                             sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    // The scaler may write past the end of a row, so it gets a frame with padded rows.
    const ffmpeg::Frame rgb(ffmpeg::allocated(av_frame_alloc()));
    rgb->format = AV_PIX_FMT_RGB24;
    rgb->width = frame_->width;
    rgb->height = frame_->height;
    require(av_frame_get_buffer(rgb.get(), 0));
    require(sws_scale(scaler_.get(), frame_->data, frame_->linesize, 0, frame_->height, rgb->data, rgb->linesize));
    Image image(frame_->width, frame_->height);
    av_image_copy_plane(image.pixels.data(), static_cast<int>(image.row_bytes()), rgb->data[0], rgb->linesize[0],
                        static_cast<int>(image.row_bytes()), image.height);
    av_frame_unref(frame_.get());
    return image;
  }

  std::string path_;
  ffmpeg::Input container_;
  ffmpeg::Codec codec_;
  ffmpeg::Scaler scaler_;
  ffmpeg::Packet packet_{ffmpeg::allocated(av_packet_alloc())};
  ffmpeg::Frame frame_{ffmpeg::allocated(av_frame_alloc())};
  AVStream* stream_ = nullptr;
  bool any_frame_ = false;
  VideoInfo info_;
};

VideoReader::VideoReader(const fs::path& path, const ReadLimits& limits)
    : decoder_(std::make_unique<Decoder>(path, limits)) {}

VideoReader::~VideoReader() = default;

const VideoInfo& VideoReader::info() const {
  return decoder_->info();
}

std::optional<Image> VideoReader::next() {
  return decoder_->next();
}

}  // namespace unianimate
