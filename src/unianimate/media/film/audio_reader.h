// Inside media: the sound of a file as samples of one kind on one timeline.
#pragma once

#include <cstdint>

extern "C" {
#include <libavutil/audio_fifo.h>
#include <libswresample/swresample.h>
}

#include "unianimate/media/film/audio.h"
#include "unianimate/media/film/stream_decoder.h"

namespace unianimate::ffmpeg {

struct AudioShape {
  int sample_rate = 0;
  AVSampleFormat format = AV_SAMPLE_FMT_NONE;
  int channels = 0;
};

/// The file's best audio stream. Sample 0 is what is heard at source.start_seconds; where the file has no sound for a
/// while, or lost it, there is silence. Memory does not grow with the length of the file.
class AudioReader {
 public:
  /// Throws Error(kInput), naming the file, where it holds no sound that can be decoded.
  explicit AudioReader(const AudioSource& source);

  /// As it is stored.
  [[nodiscard]] int sample_rate() const;
  [[nodiscard]] int channels() const;

  /// Call once, before read().
  void convert_to(const AudioShape& shape);

  /// The next `count` samples; fewer only at the end, null after it. Throws Error(kInput) where samples cannot be
  /// converted.
  Frame read(int count);

  /// Pieces of the sound so far that could not be decoded.
  [[nodiscard]] std::int64_t damaged() const { return decoder_.damaged(); }

 private:
  struct FreeResampler {
    void operator()(SwrContext* context) const { swr_free(&context); }
  };
  struct FreeFifo {
    void operator()(AVAudioFifo* fifo) const { av_audio_fifo_free(fifo); }
  };

  void seek_start();
  bool take();
  void place(const AVFrame& frame);
  void adapt_to(const AVFrame& frame);
  void convert(const AVFrame* frame);
  void append_silence(int count);
  void append(const AVFrame& samples);
  [[nodiscard]] Frame make_frame(int capacity) const;

  AudioSource source_;
  StreamDecoder decoder_;
  // Of the file, where the first frame of its video is.
  double origin_seconds_ = 0;
  AudioShape shape_;
  std::unique_ptr<SwrContext, FreeResampler> resampler_;
  std::unique_ptr<AVAudioFifo, FreeFifo> fifo_;
  // What the resampler was made for.
  int input_rate_ = 0;
  int input_format_ = AV_SAMPLE_FMT_NONE;
  int input_channels_ = 0;

  // Decoded, not yet converted; silence_ goes before it.
  const AVFrame* waiting_ = nullptr;
  std::int64_t silence_ = 0;
  // Samples still to be thrown away.
  std::int64_t skip_ = 0;
  // On the timeline, where the samples made and the silence due end.
  std::int64_t position_ = 0;
  bool placed_ = false;
  bool ended_ = false;
};

}  // namespace unianimate::ffmpeg
