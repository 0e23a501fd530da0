#include "unianimate/media/film/webp_animation.h"

#include <webp/demux.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/media/pictures/frame_rate.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

struct FreeDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
struct FreeDecoder {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};

constexpr int kRgbaBytes = 4;

std::string read_bytes(const fs::path& path, const ReadLimits& limits) {
  std::error_code problem;
  const auto size = static_cast<std::int64_t>(fs::file_size(path, problem));
  if (problem || size > limits.max_file_bytes) {
    throw Error(ErrorKind::kInput, "the animation {} has {} bytes, but at most {} are read; give a video instead",
                printable(path.string()), size, limits.max_file_bytes);
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), size);
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

class WebpAnimation final : public FrameSource {
 public:
  WebpAnimation(const fs::path& path, const FrameSourceOptions& options)
      : path_(path), options_(options), bytes_(read_bytes(path, options.limits)) {
    const WebPData data{reinterpret_cast<const std::uint8_t*>(bytes_.data()), bytes_.size()};
    const std::unique_ptr<WebPDemuxer, FreeDemuxer> demuxer(WebPDemux(&data));
    if (!demuxer) refuse("it is damaged, or ends early");
    info_.width = static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH));
    info_.height = static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT));
    read_times(*demuxer);
    check_pixels(path, options.limits, info_.width, info_.height, std::ssize(seconds_));
    info_.frames_per_second = frame_rate(seconds_, 0);
    info_.seconds = times_in_part(path, options, seconds_, info_.frames_per_second);
    info_.frame_count = std::ssize(info_.seconds);
    info_.description = "animated WebP";
    WebPAnimDecoderOptions settings;
    WebPAnimDecoderOptionsInit(&settings);
    settings.color_mode = MODE_RGBA;
    settings.use_threads = options.threads == 1 ? 0 : 1;
    decoder_.reset(WebPAnimDecoderNew(&data, &settings));
    if (!decoder_) refuse("it is damaged");
  }

  [[nodiscard]] const FrameSourceInfo& info() const override { return info_; }

  std::optional<TimedFrame> next() override {
    while (next_ < seconds_.size() && !damaged_) {
      const double seconds = seconds_[next_];
      if (options_.end_seconds && seconds >= *options_.end_seconds) break;
      std::uint8_t* canvas = nullptr;
      int ignored = 0;
      damaged_ = WebPAnimDecoderGetNext(decoder_.get(), &canvas, &ignored) == 0;
      if (damaged_) break;
      ++next_;
      if (options_.holds(seconds)) return TimedFrame{without_alpha(canvas), seconds};
    }
    if (damaged_ && next_ == 0) refuse("none of its frames can be decoded");
    return std::nullopt;
  }

  [[nodiscard]] std::string trouble() const override {
    return damaged_ ? fmt::format("the file is damaged after {} frames", next_) : "";
  }

 private:
  [[noreturn]] void refuse(std::string_view reason) const {
    throw Error(ErrorKind::kInput, "the animated WebP picture {} cannot be read: {}; give another file",
                printable(path_.string()), reason);
  }

  void read_times(const WebPDemuxer& demuxer) {
    constexpr int kTooShort = 10;
    constexpr int kInstead = 100;
    constexpr double kMilliseconds = 1000;
    std::int64_t time = 0;
    WebPIterator frame;
    for (int more = WebPDemuxGetFrame(&demuxer, 1, &frame); more != 0; more = WebPDemuxNextFrame(&frame)) {
      seconds_.push_back(static_cast<double>(time) / kMilliseconds);
      time += frame.duration > kTooShort ? frame.duration : kInstead;
    }
    WebPDemuxReleaseIterator(&frame);
    if (seconds_.empty()) refuse("it holds no frames");
  }

  [[nodiscard]] Image without_alpha(const std::uint8_t* rgba) const {
    Image image(info_.width, info_.height);
    for (auto to = image.pixels.begin(); to != image.pixels.end(); to += Image::kChannels, rgba += kRgbaBytes) {
      std::copy_n(rgba, Image::kChannels, to);
    }
    return image;
  }

  fs::path path_;
  FrameSourceOptions options_;
  std::string bytes_;
  FrameSourceInfo info_;
  std::vector<double> seconds_;
  std::unique_ptr<WebPAnimDecoder, FreeDecoder> decoder_;
  std::size_t next_ = 0;
  bool damaged_ = false;
};

}  // namespace

std::unique_ptr<FrameSource> open_webp_animation(const fs::path& path, const FrameSourceOptions& options) {
  return std::make_unique<WebpAnimation>(path, options);
}

}  // namespace unianimate
