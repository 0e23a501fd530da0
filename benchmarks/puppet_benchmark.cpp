// How many frames of procedural people one core draws in a second.
//
//   puppet_benchmark [WIDTH HEIGHT]
#include <fmt/format.h>

#include <cstdlib>

#include "stopwatch.h"
#include "unianimate/puppet/clip.h"

int main(int argc, char** argv) {
  constexpr int kPeople = 20;
  constexpr int kFrames = 50;
  unianimate::puppet::ClipOptions options;
  options.width = argc > 2 ? std::atoi(argv[1]) : 128;
  options.height = argc > 2 ? std::atoi(argv[2]) : 192;
  const unianimate::benchmarks::Stopwatch watch;
  std::size_t bytes = 0;
  for (int person = 0; person < kPeople; ++person) {
    options.seed = static_cast<std::uint64_t>(person);
    const unianimate::puppet::Clip clip(options);
    for (int frame = 0; frame < kFrames; ++frame) bytes += clip.frame(frame).pixels.size();
  }
  const double seconds = watch.seconds();
  fmt::print("{}x{}: {:.0f} frames a second, {:.0f} MB/s\n", options.width, options.height, kPeople * kFrames / seconds,
             static_cast<double>(bytes) / seconds / 1e6);
  return 0;
}
