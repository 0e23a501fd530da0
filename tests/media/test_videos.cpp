#include "media/test_videos.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace unianimate::testing {

Image quarters(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int quarter = (y >= height / 2 ? 2 : 0) + (x >= width / 2 ? 1 : 0);
      const Color& color = kQuarters.at(static_cast<std::size_t>(quarter));
      std::ranges::copy(color, image.row(y).begin() + std::ptrdiff_t{x} * Image::kChannels);
    }
  }
  return image;
}

Quarters quarters_of(const Image& image) {
  Quarters found{};
  for (std::size_t quarter = 0; quarter < found.size(); ++quarter) {
    const int x = image.width * (quarter % 2 == 0 ? 1 : 3) / 4;
    const int y = image.height * (quarter < 2 ? 1 : 3) / 4;
    std::ranges::copy(image.row(y).subspan(static_cast<std::size_t>(x) * Image::kChannels, Image::kChannels),
                      found[quarter].begin());
  }
  return found;
}

void expect_quarters(const Image& image, const Quarters& expected, int tolerance) {
  const Quarters found = quarters_of(image);
  for (std::size_t quarter = 0; quarter < found.size(); ++quarter) {
    for (std::size_t channel = 0; channel < Image::kChannels; ++channel) {
      EXPECT_NEAR(found[quarter][channel], expected[quarter][channel], tolerance)
          << "quarter " << quarter << ", channel " << channel;
    }
  }
}

std::vector<TimedFrame> all_frames(FrameSource& source) {
  std::vector<TimedFrame> frames;
  while (auto frame = source.next()) frames.push_back(std::move(*frame));
  return frames;
}

std::vector<double> times_of(const std::vector<TimedFrame>& frames) {
  std::vector<double> times(frames.size());
  std::ranges::transform(frames, times.begin(), &TimedFrame::seconds);
  return times;
}

double Sound::loudness(double from_seconds, double to_seconds) const {
  const auto index = [&](double seconds) {
    return std::min(samples.size(), static_cast<std::size_t>(std::max(0.0, seconds * sample_rate)));
  };
  double sum = 0;
  for (std::size_t i = index(from_seconds); i < index(to_seconds); ++i) sum += std::pow(samples[i], 2);
  const auto count = static_cast<double>(index(to_seconds) - index(from_seconds));
  return count > 0 ? std::sqrt(sum / count) : 0;
}

double Sound::onset() const {
  float loudest = 0;
  for (const float sample : samples) loudest = std::max(loudest, std::abs(sample));
  const auto first = std::ranges::find_if(samples, [&](float sample) { return std::abs(sample) > loudest / 2; });
  return static_cast<double>(first - samples.begin()) / sample_rate;
}

namespace {

// Samples of the first channel as floats.
std::vector<float> first_channel(const AVFrame& frame) {
  const auto format = static_cast<AVSampleFormat>(frame.format);
  const int step = av_sample_fmt_is_planar(format) != 0 ? 1 : frame.ch_layout.nb_channels;
  std::vector<float> samples;
  for (int i = 0; i < frame.nb_samples; ++i) {
    const int index = i * step;
    if (format == AV_SAMPLE_FMT_FLT || format == AV_SAMPLE_FMT_FLTP) {
      samples.push_back(reinterpret_cast<const float*>(frame.data[0])[index]);
    } else if (format == AV_SAMPLE_FMT_S16 || format == AV_SAMPLE_FMT_S16P) {
      samples.push_back(static_cast<float>(reinterpret_cast<const std::int16_t*>(frame.data[0])[index]) / 32768.0F);
    } else {
      throw std::runtime_error("unexpected kind of samples");
    }
  }
  return samples;
}

}  // namespace

Sound read_sound(const std::filesystem::path& path) {
  AVFormatContext* container = nullptr;
  if (avformat_open_input(&container, path.c_str(), nullptr, nullptr) < 0) throw std::runtime_error("cannot open");
  avformat_find_stream_info(container, nullptr);
  const AVCodec* decoder = nullptr;
  const int index = av_find_best_stream(container, AVMEDIA_TYPE_AUDIO, -1, -1, &decoder, 0);
  const int video = av_find_best_stream(container, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  Sound sound;
  if (index >= 0) {
    const AVStream& stream = *container->streams[index];
    const AVStream& pictures = *container->streams[video];
    const double origin = static_cast<double>(pictures.start_time) * av_q2d(pictures.time_base);
    AVCodecContext* codec = avcodec_alloc_context3(decoder);
    avcodec_parameters_to_context(codec, stream.codecpar);
    codec->pkt_timebase = stream.time_base;
    avcodec_open2(codec, decoder, nullptr);
    sound.codec = avcodec_get_name(stream.codecpar->codec_id);
    sound.sample_rate = codec->sample_rate;
    sound.channels = codec->ch_layout.nb_channels;
    AVPacket* packet = av_packet_alloc();
    AVFrame* frame = av_frame_alloc();
    bool more = true;
    while (more) {
      more = av_read_frame(container, packet) >= 0;
      if (!more || packet->stream_index == index) avcodec_send_packet(codec, more ? packet : nullptr);
      av_packet_unref(packet);
      while (avcodec_receive_frame(codec, frame) >= 0) {
        const double begin = static_cast<double>(frame->best_effort_timestamp) * av_q2d(stream.time_base) - origin;
        const long place = std::lround(begin * sound.sample_rate);
        std::vector<float> samples = first_channel(*frame);
        samples.erase(samples.begin(), samples.begin() + std::clamp<long>(-place, 0, std::ssize(samples)));
        if (samples.empty()) continue;
        sound.samples.resize(static_cast<std::size_t>(std::max(0L, place)));
        sound.samples.insert(sound.samples.end(), samples.begin(), samples.end());
      }
    }
    av_frame_free(&frame);
    av_packet_free(&packet);
    avcodec_free_context(&codec);
  }
  avformat_close_input(&container);
  return sound;
}

}  // namespace unianimate::testing
