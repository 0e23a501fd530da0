#include "unianimate/media/video_source.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/media/rgb_converter.h"
#include "unianimate/media/stream_decoder.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

ffmpeg::StreamDecoder open_decoder(const fs::path& path, const FrameSourceOptions& options) {
  ffmpeg::Input container = ffmpeg::open_input(path, options.limits.max_pixels);
  AVStream* stream = ffmpeg::find_stream(*container, AVMEDIA_TYPE_VIDEO);
  if (stream == nullptr) ffmpeg::refuse_video(path, "it holds no video stream");
  return {path, std::move(container), *stream, {options.threads, options.limits.max_pixels, options.draft}};
}

bool is_sensible(AVRational rate) {
  constexpr double kMax = 1000;
  constexpr double kMin = 0.001;
  return rate.num > 0 && rate.den > 0 && av_q2d(rate) >= kMin && av_q2d(rate) <= kMax;
}

// The nominal rate of a video of varying times is that of its finest clock, so it must agree with the average.
double frames_per_second(AVFormatContext& container, AVStream& stream) {
  constexpr double kDefault = 25;
  constexpr double kTolerance = 0.01;
  const AVRational nominal = av_guess_frame_rate(&container, &stream, nullptr);
  const AVRational average = stream.avg_frame_rate;
  if (!is_sensible(average)) return is_sensible(nominal) ? av_q2d(nominal) : kDefault;
  const bool agree = is_sensible(nominal) && std::abs(av_q2d(nominal) / av_q2d(average) - 1) < kTolerance;
  return av_q2d(agree ? nominal : average);
}

// Of the part that is read; 0 where the container does not know.
std::int64_t count_frames(const AVFormatContext& container, const AVStream& stream, double frames_per_second,
                          const FrameSourceOptions& options) {
  constexpr double kMost = 1e12;
  double length = std::max(0.0, static_cast<double>(container.duration) / AV_TIME_BASE);
  if (stream.nb_frames > 0) length = static_cast<double>(stream.nb_frames) / frames_per_second;
  // More than that may be stored and never shown, so the stream's own duration counts first.
  if (stream.duration > 0) length = static_cast<double>(stream.duration) * av_q2d(stream.time_base);
  const double end = std::min(length, options.end_seconds.value_or(length));
  return std::llround(std::clamp((end - options.start_seconds) * frames_per_second, 0.0, kMost));
}

std::string upright_filters(const AVStream& stream, const AVFrame& first) {
  std::size_t bytes = 0;
  const std::uint8_t* matrix = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
  if (matrix == nullptr) {
    const AVFrameSideData* data = av_frame_get_side_data(&first, AV_FRAME_DATA_DISPLAYMATRIX);
    if (data != nullptr) std::tie(matrix, bytes) = std::pair(data->data, data->size);
  }
  constexpr std::size_t kMatrixBytes = 9 * sizeof(std::int32_t);
  return ffmpeg::filters_to_upright(bytes < kMatrixBytes ? nullptr : reinterpret_cast<const std::int32_t*>(matrix));
}

std::string describe(const AVStream& stream, const AVFrame& first, const std::string& note) {
  const char* pixels = av_get_pix_fmt_name(static_cast<AVPixelFormat>(first.format));
  std::string text = fmt::format("{} video", avcodec_get_name(stream.codecpar->codec_id));
  if (pixels != nullptr) text += fmt::format(", {}", pixels);
  if (!note.empty()) text += ", " + note;
  return text;
}

class VideoSource final : public FrameSource {
 public:
  VideoSource(const fs::path& path, const FrameSourceOptions& options)
      : path_(path), options_(options), decoder_(open_decoder(path, options)), waiting_(decoder_.next()) {
    if (waiting_ == nullptr) refuse_without_frames();
    first_timestamp_ = waiting_->best_effort_timestamp;
    first_seconds_ = decoder_.seconds_of(*waiting_);
    AVFormatContext& container = decoder_.container();
    AVStream& stream = decoder_.stream();
    converter_ = std::make_unique<ffmpeg::RgbConverter>(path, *waiting_,
                                                        av_guess_sample_aspect_ratio(&container, &stream, waiting_),
                                                        upright_filters(stream, *waiting_), options.limits.max_pixels);
    info_.width = converter_->width();
    info_.height = converter_->height();
    info_.frames_per_second = frames_per_second(container, stream);
    info_.frame_count = count_frames(container, stream, info_.frames_per_second, options);
    info_.description = describe(stream, *waiting_, converter_->note());
    info_.has_audio = ffmpeg::find_stream(container, AVMEDIA_TYPE_AUDIO) != nullptr;
    seek_start();
  }

  [[nodiscard]] const FrameSourceInfo& info() const override { return info_; }

  std::optional<TimedFrame> next() override {
    while (const AVFrame* frame = take()) {
      const double seconds = stamp(*frame);
      if (seconds < options_.start_seconds) continue;
      if (options_.end_seconds && seconds >= *options_.end_seconds) {
        finished_ = true;
        break;
      }
      ++given_;
      return TimedFrame{converter_->convert(*frame), seconds};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string trouble() const override {
    std::string text;
    if (decoder_.ended_early()) text = fmt::format("the file ends early, after {} frames", given_);
    if (decoder_.damaged() == 0) return text;
    if (!text.empty()) text += "; ";
    text += fmt::format("frames damaged or missing: {}", decoder_.damaged());
    return text;
  }

 private:
  [[noreturn]] void refuse_without_frames() const {
    if (decoder_.damaged() > 0) ffmpeg::refuse_video(path_, "none of its frames can be decoded");
    ffmpeg::refuse_video(path_, decoder_.ended_early() ? "the file ends before its first frame" : "it holds no frames");
  }

  AVFrame* take() {
    if (finished_) return nullptr;
    AVFrame* frame = waiting_ != nullptr ? std::exchange(waiting_, nullptr) : decoder_.next();
    finished_ = frame == nullptr;
    return frame;
  }

  // Since the first frame, by the container; by the rate where it gives no time or one that does not grow.
  double stamp(const AVFrame& frame) {
    const double told = decoder_.seconds_of(frame) - first_seconds_;
    if (!last_seconds_) {
      last_seconds_ = std::isnan(told) ? 0 : told;
    } else if (told > *last_seconds_) {
      last_seconds_ = told;
    } else {
      const double soonest = std::nextafter(*last_seconds_, std::numeric_limits<double>::infinity());
      last_seconds_ = std::max(*last_seconds_ + 1 / info_.frames_per_second, soonest);
    }
    return *last_seconds_;
  }

  // Skips decoding what lies before the start, where the container's times can be relied on; if the frame found there
  // is not before the start, everything is decoded from the beginning.
  void seek_start() {
    constexpr double kMarginSeconds = 1;
    constexpr double kMaxTimestamp = 1e18;
    const double target = options_.start_seconds - kMarginSeconds;
    const bool reliable =
        waiting_->pts != AV_NOPTS_VALUE && (decoder_.container().iformat->flags & AVFMT_TS_DISCONT) == 0;
    if (target <= 0 || !reliable) return;
    const double timestamp = static_cast<double>(first_timestamp_) + target / av_q2d(decoder_.stream().time_base);
    if (!(std::abs(timestamp) < kMaxTimestamp)) return;
    waiting_ = decoder_.seek(std::llround(timestamp)) ? decoder_.next() : nullptr;
    if (waiting_ != nullptr && decoder_.seconds_of(*waiting_) - first_seconds_ <= options_.start_seconds) return;
    decoder_ = open_decoder(path_, options_);
    waiting_ = nullptr;
  }

  fs::path path_;
  FrameSourceOptions options_;
  ffmpeg::StreamDecoder decoder_;
  // Decoded and not yet given.
  AVFrame* waiting_;
  std::unique_ptr<ffmpeg::RgbConverter> converter_;
  FrameSourceInfo info_;
  std::int64_t first_timestamp_ = 0;
  double first_seconds_ = 0;
  std::optional<double> last_seconds_;
  bool finished_ = false;
  std::int64_t given_ = 0;
};

}  // namespace

std::unique_ptr<FrameSource> open_video_source(const fs::path& path, const FrameSourceOptions& options) {
  return std::make_unique<VideoSource>(path, options);
}

}  // namespace unianimate
