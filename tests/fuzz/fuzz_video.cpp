// Any bytes as a video file: its frames, and its sound on the way into another video.
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <string>

#include "unianimate/core/error.h"
#include "unianimate/media/film/audio_reader.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/pictures/frame_source.h"

namespace {

// A file in memory, with a path by which it can be opened.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (::write(descriptor_, data, size) != static_cast<ssize_t>(size)) __builtin_trap();
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

// Times may leap, so that a small file can be long; nobody waits for more than this.
constexpr int kMaxFrames = 100;

constexpr unianimate::ReadLimits kLimits{.max_pixels = 40'000};

void read_frames(const std::string& path) {
  const auto source = unianimate::open_frame_source(path, {.threads = 1, .limits = kLimits});
  const unianimate::FrameSourceInfo& info = source->info();
  if (!(info.frames_per_second > 0) || info.frame_count < 0) __builtin_trap();
  double last = -1;
  for (int i = 0; i < kMaxFrames; ++i) {
    const auto frame = source->next();
    if (!frame) break;
    const unianimate::Image& image = frame->image;
    if (image.width != info.width || image.height != info.height) __builtin_trap();
    if (image.pixels.size() != image.row_bytes() * static_cast<std::size_t>(image.height)) __builtin_trap();
    if (!std::isfinite(frame->seconds) || frame->seconds <= last) __builtin_trap();
    last = frame->seconds;
  }
}

void read_sound(const std::string& path) {
  constexpr int kBlock = 1024;
  unianimate::ffmpeg::AudioReader reader({.file = path, .start_seconds = 0.5, .limits = kLimits});
  reader.convert_to({.sample_rate = 48'000, .format = AV_SAMPLE_FMT_FLTP, .channels = 2});
  for (int i = 0; i < kMaxFrames; ++i) {
    const auto samples = reader.read(kBlock);
    if (!samples) break;
    if (samples->nb_samples < 1 || samples->nb_samples > kBlock) __builtin_trap();
  }
}

template <typename Action>
void refused_or_done(const Action& action) {
  try {
    action();
  } catch (const unianimate::Error&) {  // refused, as it should be
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  refused_or_done([&] { read_frames(file.path()); });
  refused_or_done([&] { read_sound(file.path()); });
  return 0;
}
