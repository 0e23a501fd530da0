#include "unianimate/media/film/video_source.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cmath>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/media/film/rgb_converter.h"
#include "unianimate/media/film/stream_decoder.h"
#include "unianimate/media/film/video_times.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

ffmpeg::StreamDecoder open_decoder(const fs::path& path, const FrameSourceOptions& options) {
  ffmpeg::Input container = ffmpeg::open_input(path, options.limits.max_pixels, options.folder_frames_per_second);
  AVStream* stream = ffmpeg::find_stream(*container, AVMEDIA_TYPE_VIDEO);
  if (stream == nullptr) ffmpeg::refuse_video(path, "it holds no video stream");
  return {path, std::move(container), *stream, {options.threads, options.limits.max_pixels, options.draft}};
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
      : path_(path),
        options_(options),
        times_(ffmpeg::read_video_times(path, options)),
        clock_(times_.frames_per_second),
        decoder_(open_decoder(path, options)),
        waiting_(decoder_.next()) {
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
    info_.frames_per_second = times_.frames_per_second;
    info_.seconds = times_in_part(path, options, times_.seconds, times_.frames_per_second);
    info_.frame_count = std::ssize(info_.seconds);
    info_.description = describe(stream, *waiting_, converter_->note());
    info_.has_audio = times_.has_audio;
    if (times_.assumed) {
      info_.notes.push_back(fmt::format("{} does not say when its pictures are shown; {:.6g} a second are assumed",
                                        printable(path.string()), times_.frames_per_second));
    }
    if (times_.seconds.size() == 1) {
      info_.notes.push_back(fmt::format("{} holds one frame, so the motion is one frame", printable(path.string())));
    }
    times_.seconds = {};
    seek_start();
  }

  [[nodiscard]] const FrameSourceInfo& info() const override { return info_; }

  std::optional<TimedFrame> next() override {
    while (const AVFrame* frame = take()) {
      const double seconds = clock_.at(decoder_.seconds_of(*frame) - first_seconds_);
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
  ffmpeg::VideoTimes times_;
  ffmpeg::FrameClock clock_;
  ffmpeg::StreamDecoder decoder_;
  // Decoded and not yet given.
  AVFrame* waiting_;
  std::unique_ptr<ffmpeg::RgbConverter> converter_;
  FrameSourceInfo info_;
  std::int64_t first_timestamp_ = 0;
  double first_seconds_ = 0;
  bool finished_ = false;
  std::int64_t given_ = 0;
};

}  // namespace

std::unique_ptr<FrameSource> open_video_source(const fs::path& path, const FrameSourceOptions& options) {
  return std::make_unique<VideoSource>(path, options);
}

}  // namespace unianimate
