#include "unianimate/media/film/audio_track.h"

#include <algorithm>
#include <utility>

#include "unianimate/core/error.h"

namespace unianimate::ffmpeg {

namespace {

constexpr int kDefaultRate = 48'000;

int rate_for(const AVCodec& encoder, int wanted) {
  if (encoder.supported_samplerates == nullptr) return wanted;
  for (const int* rate = encoder.supported_samplerates; *rate != 0; ++rate) {
    if (*rate == wanted) return wanted;
  }
  return kDefaultRate;
}

}  // namespace

AudioTrack::AudioTrack(const AudioSource& source, const AudioRecipe& recipe, AVRational frame_rate,
                       AVFormatContext& container, PacketSink sink)
    : reader_(source), frame_rate_(frame_rate), sink_(std::move(sink)) {
  const AVCodec* codec = avcodec_find_encoder_by_name(recipe.encoder);
  if (codec == nullptr) {
    throw Error(ErrorKind::kEnvironment, "this FFmpeg was built without the encoder {} for sound", recipe.encoder);
  }
  constexpr int kStereo = 2;
  const int channels = std::clamp(reader_.channels(), 1, kStereo);
  encoder_.reset(allocated(avcodec_alloc_context3(codec)));
  encoder_->sample_rate = rate_for(*codec, reader_.sample_rate());
  encoder_->sample_fmt = recipe.format;
  av_channel_layout_default(&encoder_->ch_layout, channels);
  encoder_->bit_rate = recipe.bits_per_second_and_channel * channels;
  encoder_->time_base = {1, encoder_->sample_rate};
  if ((container.oformat->flags & AVFMT_GLOBALHEADER) != 0) encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  require(avcodec_open2(encoder_.get(), codec, nullptr));
  frame_size_ = encoder_->frame_size;
  reader_.convert_to({encoder_->sample_rate, recipe.format, channels});

  stream_ = allocated(avformat_new_stream(&container, nullptr));
  require(avcodec_parameters_from_context(stream_->codecpar, encoder_.get()));
  stream_->time_base = encoder_->time_base;
}

void AudioTrack::write_until(std::int64_t frames) {
  const std::int64_t end = samples_until(frames);
  while (!ended_ && written_ + frame_size_ <= end) write_samples(frame_size_);
}

void AudioTrack::finish(std::int64_t frames) {
  write_until(frames);
  const std::int64_t rest = samples_until(frames) - written_;
  if (!ended_ && rest > 0) write_samples(static_cast<int>(rest));
  encode(nullptr);
}

// An encoder takes one short frame, the last.
void AudioTrack::write_samples(int count) {
  const Frame samples = reader_.read(count);
  const int made = samples ? samples->nb_samples : 0;
  ended_ = made < count;
  if (made == 0) return;
  samples->pts = written_;
  written_ += made;
  encode(samples.get());
}

// Null: no samples follow, and what the encoder still holds is written.
void AudioTrack::encode(AVFrame* frame) {
  require(avcodec_send_frame(encoder_.get(), frame));
  while (true) {
    const int received = avcodec_receive_packet(encoder_.get(), packet_.get());
    if (received == AVERROR(EAGAIN) || received == AVERROR_EOF) break;
    require(received);
    packet_->stream_index = stream_->index;
    av_packet_rescale_ts(packet_.get(), encoder_->time_base, stream_->time_base);
    sink_(*packet_);
  }
}

void AudioTrack::require(int code) const {
  if (code < 0)
    throw Error(ErrorKind::kInput, "the sound cannot be encoded as {}: {}", encoder_->codec->name, reason(code));
}

std::int64_t AudioTrack::samples_until(std::int64_t frames) const {
  return av_rescale(frames, std::int64_t{encoder_->sample_rate} * frame_rate_.den, frame_rate_.num);
}

}  // namespace unianimate::ffmpeg
