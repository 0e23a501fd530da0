#include "unianimate/media/film/stream_decoder.h"

extern "C" {
#include <libavutil/opt.h>
}

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/threads.h"
#include "unianimate/media/pictures/animation.h"

namespace unianimate::ffmpeg {

namespace fs = std::filesystem;

namespace {

// Containers that hold their own data. Playlists and scripts, which name other files, are left out.
constexpr const char* kDemuxers =
    "mov,matroska,avi,gif,apng,mjpeg,mpjpeg,mpegts,mpeg,mpegvideo,m4v,flv,ogg,asf,h264,hevc,ivf,obu,yuv4mpegpipe";

// An option of just those demuxers whose files have no times.
constexpr const char* kRate = "framerate";

std::string reason_of_opening(int code) {
  switch (code) {
    case AVERROR(EINVAL):  // FFmpeg's answer to a format that is not among those allowed
      return "it is no video of a kind that is read (MP4, WebM, Matroska, AVI, GIF and others)";
    case AVERROR_EOF:
    case AVERROR_INVALIDDATA:
      return "it is no video, or a recording that was cut off before its index was written";
    default:
      return reason(code);
  }
}

// Looking for what the streams are may decode some of them.
int find_streams(AVFormatContext& container, std::int64_t max_pixels) {
  std::vector<AVDictionary*> options(container.nb_streams, nullptr);
  for (AVDictionary*& option : options) av_dict_set_int(&option, "max_pixels", max_pixels, 0);
  const int code = avformat_find_stream_info(&container, options.data());
  for (AVDictionary*& option : options) av_dict_free(&option);
  return code;
}

double seconds(std::int64_t timestamp, AVRational time_base) {
  return static_cast<double>(timestamp) * av_q2d(time_base);
}

}  // namespace

void refuse_video(const fs::path& path, std::string_view reason) {
  throw Error(ErrorKind::kInput, "the video {} cannot be read: {}; give another file", printable(path.string()),
              printable(reason));
}

Input open_input(const fs::path& path, std::int64_t max_pixels, double untimed_frames_per_second) {
  be_quiet();
  std::error_code problem;
  if (fs::file_size(path, problem) == 0 && !problem) refuse_video(path, "it is empty");
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "file", 0);
  av_dict_set(&options, "format_whitelist", kDemuxers, 0);
  av_dict_set(&options, kRate, fmt::format("{:.6f}", untimed_frames_per_second).c_str(), 0);
  AVFormatContext* container = nullptr;
  // FFmpeg takes a short stream of JPEG pictures for one of them.
  const AVInputFormat* known_format =
      animation_kind(path) == AnimationKind::kJpeg ? av_find_input_format("mjpeg") : nullptr;
  const int opened = avformat_open_input(&container, file_url(path).c_str(), known_format, &options);
  av_dict_free(&options);
  if (opened < 0) refuse_video(path, reason_of_opening(opened));
  Input input(container);
  const int known = find_streams(*container, max_pixels);
  if (known < 0) refuse_video(path, reason(known));
  return input;
}

bool has_no_times(const AVFormatContext& container) {
  return container.iformat->priv_class != nullptr && av_opt_find(container.priv_data, kRate, nullptr, 0, 0) != nullptr;
}

AVStream* find_stream(AVFormatContext& container, AVMediaType type) {
  const auto is_cover = [](const AVStream& stream) {
    constexpr int kCovers = AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS;
    return (stream.disposition & kCovers) != 0;
  };
  const int index = av_find_best_stream(&container, type, -1, -1, nullptr, 0);
  if (index < 0) return nullptr;
  if (!is_cover(*container.streams[index])) return container.streams[index];
  const std::span streams(container.streams, container.nb_streams);
  const auto other = std::ranges::find_if(
      streams, [&](const AVStream* stream) { return stream->codecpar->codec_type == type && !is_cover(*stream); });
  return other == streams.end() ? nullptr : *other;
}

StreamDecoder::StreamDecoder(const fs::path& path, Input container, AVStream& stream, const DecoderLimits& limits)
    : container_(std::move(container)), stream_(&stream) {
  const AVCodecParameters& parameters = *stream_->codecpar;
  const AVCodec* decoder = avcodec_find_decoder(parameters.codec_id);
  if (decoder == nullptr) {
    refuse_video(path, fmt::format("this FFmpeg has no decoder for its {}", avcodec_get_name(parameters.codec_id)));
  }
  if (parameters.codec_type == AVMEDIA_TYPE_VIDEO &&
      std::int64_t{parameters.width} * parameters.height > limits.max_pixels) {
    refuse_video(path, fmt::format("it says its frames are {}×{} pixels, but at most {} pixels are read",
                                   parameters.width, parameters.height, limits.max_pixels));
  }
  codec_.reset(allocated(avcodec_alloc_context3(decoder)));
  int code = avcodec_parameters_to_context(codec_.get(), &parameters);
  codec_->pkt_timebase = stream_->time_base;
  codec_->max_pixels = limits.max_pixels;
  codec_->err_recognition = AV_EF_CRCCHECK;
  codec_->thread_count = library_threads(limits.threads);
  // Each thread that decodes a frame of its own holds one.
  if (std::int64_t{parameters.width} * parameters.height > kLargePixels) codec_->thread_type = FF_THREAD_SLICE;
  if (limits.draft) codec_->skip_loop_filter = AVDISCARD_ALL;
  if (code >= 0) code = avcodec_open2(codec_.get(), decoder, nullptr);
  if (code < 0) refuse_video(path, fmt::format("its {} cannot be decoded: {}", decoder->name, reason(code)));
}

AVFrame* StreamDecoder::next() {
  // Decoders that paint one frame over the other copy it where somebody still holds it.
  av_frame_unref(frame_.get());
  while (true) {
    const int received = avcodec_receive_frame(codec_.get(), frame_.get());
    if (received == AVERROR_EOF) return nullptr;
    if (received == AVERROR(EAGAIN)) {
      feed();
    } else if (received < 0) {
      ++damaged_;
    } else {
      const bool marked = frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0;
      if (marked) ++damaged_;
      return frame_.get();
    }
  }
}

bool StreamDecoder::seek(std::int64_t timestamp) {
  avcodec_flush_buffers(codec_.get());
  return av_seek_frame(container_.get(), stream_->index, timestamp, AVSEEK_FLAG_BACKWARD) >= 0;
}

double StreamDecoder::seconds_of(const AVFrame& frame) const {
  if (frame.best_effort_timestamp == AV_NOPTS_VALUE) return std::numeric_limits<double>::quiet_NaN();
  return seconds(frame.best_effort_timestamp, stream_->time_base);
}

void StreamDecoder::feed() {
  constexpr int kMaxRetries = 1000;
  int retries = 0;
  while (true) {
    const int reading = av_read_frame(container_.get(), packet_.get());
    if (reading == AVERROR(EAGAIN) && retries++ < kMaxRetries) continue;
    if (reading < 0) return feed_end(reading);
    note_reach(*packet_);
    const bool wanted = packet_->stream_index == stream_->index;
    const bool whole = (packet_->flags & AV_PKT_FLAG_CORRUPT) == 0;
    const int sent = wanted && whole ? avcodec_send_packet(codec_.get(), packet_.get()) : 0;
    av_packet_unref(packet_.get());
    if (wanted && (!whole || sent < 0)) ++damaged_;
    if (wanted) return;
  }
}

void StreamDecoder::feed_end(int reading) {
  // The end of a multipart stream is an error to FFmpeg.
  const bool ended = reading == AVERROR_EOF || container_->iformat->name == std::string_view("mpjpeg");
  const bool failed = !ended || (container_->pb != nullptr && container_->pb->error < 0);
  ended_early_ = failed || index_points_beyond_file() || promises_more();
  avcodec_send_packet(codec_.get(), nullptr);
}

void StreamDecoder::note_reach(const AVPacket& packet) {
  const std::int64_t begin = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
  if (begin == AV_NOPTS_VALUE) return;
  const AVRational time_base = container_->streams[packet.stream_index]->time_base;
  const double end = seconds(begin, time_base) + seconds(packet.duration, time_base);
  container_reach_ = std::max(container_reach_, end);
  if (packet.stream_index == stream_->index) stream_reach_ = std::max(stream_reach_, end);
}

// FFmpeg takes packets beyond the end of the file for the end of the stream.
bool StreamDecoder::index_points_beyond_file() const {
  const std::int64_t file_bytes = avio_size(container_->pb);
  const int entries = avformat_index_get_entries_count(stream_);
  for (int i = 0; i < entries; ++i) {
    const AVIndexEntry* entry = avformat_index_get_entry(stream_, i);
    if (entry->size > file_bytes || entry->pos > file_bytes - entry->size) return true;
  }
  return false;
}

// Containers without such an index say how long they are.
bool StreamDecoder::promises_more() const {
  constexpr double kToleranceSeconds = 0.5;
  if (container_->duration_estimation_method != AVFMT_DURATION_FROM_STREAM) return false;
  const auto start = [](std::int64_t timestamp) { return timestamp == AV_NOPTS_VALUE ? 0 : timestamp; };
  if (stream_->duration > 0) {
    const double end =
        seconds(start(stream_->start_time), stream_->time_base) + seconds(stream_->duration, stream_->time_base);
    return stream_reach_ < end - kToleranceSeconds;
  }
  if (container_->duration <= 0) return false;
  const double end = seconds(start(container_->start_time), av_get_time_base_q()) +
                     seconds(container_->duration, av_get_time_base_q());
  return container_reach_ < end - kToleranceSeconds;
}

}  // namespace unianimate::ffmpeg
