#include "unianimate/media/film/video_times.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>

#include "unianimate/media/pictures/frame_rate.h"

namespace unianimate::ffmpeg {

namespace {

constexpr std::size_t kMostFrames = 1'000'000;
constexpr double kSameRate = 1e-3;

bool is_sensible(AVRational rate) {
  constexpr double kMax = 1000;
  constexpr double kMin = 0.001;
  return rate.num > 0 && rate.den > 0 && av_q2d(rate) >= kMin && av_q2d(rate) <= kMax;
}

/// What the container calls the rate; 0 where it does not.
double told_rate(AVFormatContext& container, AVStream& stream) {
  for (const AVRational rate : {av_guess_frame_rate(&container, &stream, nullptr), stream.avg_frame_rate}) {
    if (is_sensible(rate)) return av_q2d(rate);
  }
  return 0;
}

/// Packets come in the order of decoding, and none is further from its place than decoders can put it right.
class DisplayOrder {
 public:
  explicit DisplayOrder(std::vector<double>& seconds) : seconds_(seconds) {}

  void add(double time) {
    waiting_.push(time);
    if (waiting_.size() > kReach) take();
  }
  void finish() {
    while (!waiting_.empty()) take();
  }

 private:
  static constexpr std::size_t kReach = 32;

  void take() {
    seconds_.push_back(waiting_.top());
    waiting_.pop();
  }

  std::vector<double>& seconds_;
  std::priority_queue<double, std::vector<double>, std::greater<>> waiting_;
};

/// `otherwise` where the packet does not say it.
double seconds_of(const AVPacket& packet, const AVStream& stream, double otherwise) {
  const std::int64_t time = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
  return time == AV_NOPTS_VALUE ? otherwise : static_cast<double>(time) * av_q2d(stream.time_base);
}

/// As the packets tell them; that of the one before where one does not.
std::vector<double> packet_times(AVFormatContext& container, const AVStream& stream) {
  constexpr int kMaxRetries = 1000;
  std::vector<double> seconds;
  DisplayOrder order(seconds);
  const Packet packet(allocated(av_packet_alloc()));
  int retries = 0;
  double last = 0;
  while (seconds.size() < kMostFrames) {
    const int reading = av_read_frame(&container, packet.get());
    if (reading == AVERROR(EAGAIN) && retries++ < kMaxRetries) continue;
    if (reading < 0) break;
    const bool shown =
        packet->stream_index == stream.index && (packet->flags & (AV_PKT_FLAG_DISCARD | AV_PKT_FLAG_CORRUPT)) == 0;
    if (shown) order.add(last = seconds_of(*packet, stream, last));
    av_packet_unref(packet.get());
  }
  order.finish();
  return seconds;
}

}  // namespace

double FrameClock::at(double told) {
  if (!last_) {
    last_ = std::isnan(told) ? 0 : told;
  } else if (told > *last_) {
    last_ = told;
  } else {
    last_ = std::max(*last_ + step_, std::nextafter(*last_, std::numeric_limits<double>::infinity()));
  }
  return *last_;
}

VideoTimes read_video_times(const std::filesystem::path& path, const FrameSourceOptions& options) {
  const Input container = open_input(path, options.limits.max_pixels, options.folder_frames_per_second);
  AVStream* stream = find_stream(*container, AVMEDIA_TYPE_VIDEO);
  if (stream == nullptr) refuse_video(path, "it holds no video stream");
  VideoTimes times;
  times.has_audio = find_stream(*container, AVMEDIA_TYPE_AUDIO) != nullptr;
  for (unsigned i = 0; i < container->nb_streams; ++i) {
    if (container->streams[i] != stream) container->streams[i]->discard = AVDISCARD_ALL;
  }
  times.seconds = packet_times(*container, *stream);
  const AVCodecParameters& pictures = *stream->codecpar;
  check_pixels(path, options.limits, pictures.width, pictures.height, std::ssize(times.seconds));
  times.frames_per_second = frame_rate(times.seconds, told_rate(*container, *stream));
  times.assumed =
      has_no_times(*container) && std::abs(times.frames_per_second - options.folder_frames_per_second) < kSameRate;
  const double first = times.seconds.empty() ? 0 : times.seconds.front();
  FrameClock clock(times.frames_per_second);
  for (double& time : times.seconds) time = clock.at(time - first);
  return times;
}

}  // namespace unianimate::ffmpeg
