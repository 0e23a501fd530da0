// Writes a small video of every container that is read into a folder, for the video fuzz target to begin with.
#include <cstdint>
#include <filesystem>
#include <vector>

#include "media/encoded_video.h"

int main(int count, char** arguments) {
  constexpr int kFrames = 4;
  constexpr double kFramesPerSecond = 25;
  if (count != 2) return 1;
  const std::filesystem::path folder = arguments[1];
  std::filesystem::create_directories(folder);
  std::vector<unianimate::Image> frames;
  std::vector<double> seconds;
  for (int i = 0; i < kFrames; ++i) {
    unianimate::Image& image = frames.emplace_back(32, 24);
    for (std::size_t at = 0; at < image.pixels.size(); ++at) {
      image.pixels[at] = static_cast<std::uint8_t>(at / 12 * 5 + static_cast<std::size_t>(i) * 40);
    }
    seconds.push_back(i / kFramesPerSecond);
  }
  for (const auto& encoding : unianimate::testing::every_container()) {
    unianimate::testing::write_encoded(folder / encoding.name, encoding, frames, seconds);
  }
  return 0;
}
