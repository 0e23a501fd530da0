#include "unianimate/media/film/audio_reader.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"

namespace unianimate::ffmpeg {

namespace {

std::optional<StreamDecoder> open_decoder(const AudioSource& source, AVMediaType type) {
  Input container = open_input(source.file, source.limits.max_pixels);
  AVStream* stream = find_stream(*container, type);
  if (stream == nullptr) return std::nullopt;
  return StreamDecoder(source.file, std::move(container), *stream, {1, source.limits.max_pixels});
}

StreamDecoder open_sound(const AudioSource& source) {
  std::optional<StreamDecoder> decoder = open_decoder(source, AVMEDIA_TYPE_AUDIO);
  if (!decoder) refuse_video(source.file, "it holds no sound");
  return std::move(*decoder);
}

double start_of(const AVStream& stream) {
  if (stream.start_time == AV_NOPTS_VALUE) return 0;
  return static_cast<double>(stream.start_time) * av_q2d(stream.time_base);
}

// The time of the first frame that can be decoded, which may lie behind what the container calls the start; of a file
// without pictures, where its sound starts.
double first_frame_seconds(const AudioSource& source, const AVStream& sound) {
  std::optional<StreamDecoder> decoder = open_decoder(source, AVMEDIA_TYPE_VIDEO);
  if (!decoder) return start_of(sound);
  const AVFrame* frame = decoder->next();
  const double seconds = frame != nullptr ? decoder->seconds_of(*frame) : start_of(decoder->stream());
  return std::isnan(seconds) ? start_of(sound) : seconds;
}

}  // namespace

AudioReader::AudioReader(const AudioSource& source) : source_(source), decoder_(open_sound(source)) {
  origin_seconds_ = first_frame_seconds(source, decoder_.stream()) + source.start_seconds;
  seek_start();
}

int AudioReader::sample_rate() const {
  return decoder_.stream().codecpar->sample_rate;
}

int AudioReader::channels() const {
  return decoder_.stream().codecpar->ch_layout.nb_channels;
}

void AudioReader::convert_to(const AudioShape& shape) {
  shape_ = shape;
  fifo_.reset(allocated(av_audio_fifo_alloc(shape.format, shape.channels, shape.sample_rate)));
}

// Decoders need some packets before they give the right samples.
void AudioReader::seek_start() {
  constexpr double kPrerollSeconds = 1;
  constexpr double kMaxTimestamp = 1e18;
  const double target = origin_seconds_ - kPrerollSeconds;
  const double timestamp = target / av_q2d(decoder_.stream().time_base);
  if (target <= start_of(decoder_.stream()) || !(std::abs(timestamp) < kMaxTimestamp)) return;
  if (!decoder_.seek(std::llround(timestamp))) decoder_ = open_sound(source_);
}

Frame AudioReader::read(int count) {
  while (av_audio_fifo_size(fifo_.get()) < count) {
    if (silence_ > 0) {
      const auto piece = static_cast<int>(std::min<std::int64_t>(silence_, count - av_audio_fifo_size(fifo_.get())));
      append_silence(piece);
      silence_ -= piece;
    } else if (waiting_ != nullptr) {
      convert(std::exchange(waiting_, nullptr));
    } else if (!take()) {
      break;
    }
  }
  const int size = std::min(count, av_audio_fifo_size(fifo_.get()));
  if (size == 0) return nullptr;
  Frame frame = make_frame(size);
  av_audio_fifo_read(fifo_.get(), reinterpret_cast<void**>(frame->extended_data), size);
  return frame;
}

// False after the end.
bool AudioReader::take() {
  if (ended_) return false;
  waiting_ = decoder_.next();
  if (waiting_ != nullptr) {
    adapt_to(*waiting_);
    place(*waiting_);
    return true;
  }
  ended_ = true;
  if (resampler_) convert(nullptr);
  return true;
}

// Small deviations from the told time are the container's rounding; larger ones are gaps or overlaps.
void AudioReader::place(const AVFrame& frame) {
  constexpr double kToleranceSeconds = 0.1;
  constexpr double kMaxSeconds = 1e9;
  const double told = decoder_.seconds_of(frame) - origin_seconds_;
  const bool first = !std::exchange(placed_, true);
  // A file without times begins with its video.
  const double seconds = std::isnan(told) && first ? -source_.start_seconds : told;
  if (std::isnan(seconds)) return;
  const std::int64_t wanted = std::llround(std::clamp(seconds, -kMaxSeconds, kMaxSeconds) * shape_.sample_rate);
  const std::int64_t here = position_ - skip_ + swr_get_delay(resampler_.get(), shape_.sample_rate);
  if (!first && std::abs(wanted - here) <= static_cast<std::int64_t>(kToleranceSeconds * shape_.sample_rate)) return;
  const std::int64_t lead = wanted - here - skip_;
  silence_ = std::max<std::int64_t>(lead, 0);
  skip_ = std::max<std::int64_t>(-lead, 0);
  position_ += silence_;
}

void AudioReader::adapt_to(const AVFrame& frame) {
  constexpr int kMinRate = 2000;
  constexpr int kMaxRate = 768'000;
  const int channels = frame.ch_layout.nb_channels;
  if (resampler_ && frame.sample_rate == input_rate_ && frame.format == input_format_ && channels == input_channels_) {
    return;
  }
  if (frame.sample_rate < kMinRate || frame.sample_rate > kMaxRate) {
    refuse_video(source_.file, fmt::format("its sound has {} samples a second, but {} to {} are read",
                                           frame.sample_rate, kMinRate, kMaxRate));
  }
  if (resampler_) convert(nullptr);
  AVChannelLayout input = frame.ch_layout;
  AVChannelLayout output{};
  av_channel_layout_default(&output, shape_.channels);
  SwrContext* context = nullptr;
  int code = swr_alloc_set_opts2(&context, &output, shape_.format, shape_.sample_rate, &input,
                                 static_cast<AVSampleFormat>(frame.format), frame.sample_rate, 0, nullptr);
  resampler_.reset(context);
  if (code >= 0) code = swr_init(context);
  if (code < 0) refuse_video(source_.file, fmt::format("its sound cannot be converted: {}", reason(code)));
  input_rate_ = frame.sample_rate;
  input_format_ = frame.format;
  input_channels_ = channels;
}

// Null: what the resampler still holds.
void AudioReader::convert(const AVFrame* frame) {
  const int input_count = frame == nullptr ? 0 : frame->nb_samples;
  const Frame samples = make_frame(std::max(1, swr_get_out_samples(resampler_.get(), input_count)));
  const auto** input = frame == nullptr ? nullptr : const_cast<const std::uint8_t**>(frame->extended_data);
  const int made = swr_convert(resampler_.get(), samples->extended_data, samples->nb_samples, input, input_count);
  if (made < 0) refuse_video(source_.file, fmt::format("its sound cannot be converted: {}", reason(made)));
  samples->nb_samples = made;
  append(*samples);
}

void AudioReader::append_silence(int count) {
  const Frame samples = make_frame(count);
  av_samples_set_silence(samples->extended_data, 0, count, shape_.channels, shape_.format);
  av_audio_fifo_write(fifo_.get(), reinterpret_cast<void**>(samples->extended_data), count);
}

void AudioReader::append(const AVFrame& samples) {
  const auto skipped = static_cast<int>(std::min<std::int64_t>(skip_, samples.nb_samples));
  skip_ -= skipped;
  const int kept = samples.nb_samples - skipped;
  const bool planar = av_sample_fmt_is_planar(shape_.format) != 0;
  const std::ptrdiff_t offset =
      std::ptrdiff_t{skipped} * av_get_bytes_per_sample(shape_.format) * (planar ? 1 : shape_.channels);
  std::vector<void*> planes(samples.extended_data, samples.extended_data + (planar ? shape_.channels : 1));
  for (void*& plane : planes) plane = static_cast<std::uint8_t*>(plane) + offset;
  if (av_audio_fifo_write(fifo_.get(), planes.data(), kept) < 0) throw std::bad_alloc();
  position_ += kept;
}

Frame AudioReader::make_frame(int capacity) const {
  Frame frame(allocated(av_frame_alloc()));
  frame->format = shape_.format;
  frame->sample_rate = shape_.sample_rate;
  frame->nb_samples = capacity;
  av_channel_layout_default(&frame->ch_layout, shape_.channels);
  if (av_frame_get_buffer(frame.get(), 0) < 0) throw std::bad_alloc();
  return frame;
}

}  // namespace unianimate::ffmpeg
