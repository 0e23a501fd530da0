// Videos for the media tests, and their sound as an independent decoder hears it.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::testing {

using Color = std::array<int, 3>;

/// The colours of the four quarters: top left, top right, bottom left, bottom right.
using Quarters = std::array<Color, 4>;
constexpr Quarters kQuarters = {{{0xc0, 0x20, 0x20}, {0x20, 0xc0, 0x20}, {0x20, 0x20, 0xc0}, {0xc0, 0xc0, 0xc0}}};

Image quarters(int width, int height);

/// In the middle of each quarter.
Quarters quarters_of(const Image& image);
/// Fails where a channel of a quarter is further than `tolerance` from the expected.
void expect_quarters(const Image& image, const Quarters& expected, int tolerance);

std::vector<TimedFrame> all_frames(FrameSource& source);
std::vector<double> times_of(const std::vector<TimedFrame>& frames);

struct Sound {
  std::string codec;
  int sample_rate = 0;
  int channels = 0;
  /// Of the first channel; sample i is heard at i / sample_rate seconds after the beginning of the video.
  std::vector<float> samples;

  [[nodiscard]] double seconds() const { return static_cast<double>(samples.size()) / sample_rate; }
  /// Root mean square between two times.
  [[nodiscard]] double loudness(double from_seconds, double to_seconds) const;
  /// The first time at which it is louder than half of its loudest.
  [[nodiscard]] double onset() const;
};

/// Decodes with FFmpeg, all in memory; the codec stays empty where the file has no sound.
Sound read_sound(const std::filesystem::path& path);

}  // namespace unianimate::testing
