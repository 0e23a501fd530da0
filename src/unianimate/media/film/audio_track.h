// Inside media: the sound in a video file that is written.
#pragma once

#include <cstdint>
#include <functional>

#include "unianimate/media/film/audio_reader.h"

namespace unianimate::ffmpeg {

struct AudioRecipe {
  /// An encoder by FFmpeg's name; null for files without sound.
  const char* encoder = nullptr;
  AVSampleFormat format = AV_SAMPLE_FMT_NONE;
  /// 0 for lossless encoders.
  std::int64_t bits_per_second_and_channel = 0;
};

class AudioTrack {
 public:
  /// Takes a packet of the track, in the time base of its stream; the packet is valid during the call.
  using PacketSink = std::function<void(AVPacket&)>;

  /// Adds a stream to `container`, whose header is not written yet: mono or stereo, at the source's rate where the
  /// encoder has it. Throws Error(kInput) where there is no sound to be read, Error(kEnvironment) where this FFmpeg
  /// lacks the encoder; the container is as it was then.
  AudioTrack(const AudioSource& source, const AudioRecipe& recipe, AVRational frame_rate, AVFormatContext& container,
             PacketSink sink);

  /// Encodes what is heard during the first `frames` frames of the video. Throws Error(kInput) where the sound cannot
  /// be read any further; the track is of no use then.
  void write_until(std::int64_t frames);
  /// The same, to the sample, and the end of the track.
  void finish(std::int64_t frames);

  /// Pieces of the sound so far that could not be decoded and are silent.
  [[nodiscard]] std::int64_t damaged() const { return reader_.damaged(); }

 private:
  void write_samples(int count);
  void encode(AVFrame* frame);
  void require(int code) const;
  [[nodiscard]] std::int64_t samples_until(std::int64_t frames) const;

  AudioReader reader_;
  AVRational frame_rate_;
  PacketSink sink_;
  Codec encoder_;
  Packet packet_{allocated(av_packet_alloc())};
  AVStream* stream_ = nullptr;
  int frame_size_ = 0;
  std::int64_t written_ = 0;
  bool ended_ = false;
};

}  // namespace unianimate::ffmpeg
