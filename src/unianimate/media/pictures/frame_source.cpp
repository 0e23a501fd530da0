#include "unianimate/media/pictures/frame_source.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "unianimate/core/error.h"

namespace unianimate {

namespace fs = std::filesystem;

void FrameSourceOptions::check() const {
  constexpr double kMinFramesPerSecond = 0.01;
  constexpr double kMaxFramesPerSecond = 1000;
  if (!(start_seconds >= 0 && std::isfinite(start_seconds))) {
    throw Error(ErrorKind::kUsage, "the start must be 0 seconds or later, but is {}", start_seconds);
  }
  if (end_seconds && !(*end_seconds > start_seconds)) {
    throw Error(ErrorKind::kUsage, "the end must be later than the start, {} seconds, but is {}", start_seconds,
                *end_seconds);
  }
  if (!(folder_frames_per_second >= kMinFramesPerSecond && folder_frames_per_second <= kMaxFramesPerSecond)) {
    throw Error(ErrorKind::kUsage, "the pictures per second of a folder must lie between {} and {}, but are {}",
                kMinFramesPerSecond, kMaxFramesPerSecond, folder_frames_per_second);
  }
  if (threads < 0) {
    throw Error(ErrorKind::kUsage, "the decoder's threads must be 0 (automatic) or more, but are {}", threads);
  }
}

void check_pixels(const fs::path& path, const ReadLimits& limits, std::int64_t width, std::int64_t height,
                  std::int64_t frames) {
  const std::int64_t pixels = width * height;
  if (pixels > limits.max_pixels) {
    throw Error(ErrorKind::kInput, "{} says its frames are {}×{} pixels, but at most {} pixels are read; scale it down",
                printable(path.string()), width, height, limits.max_pixels);
  }
  if (pixels == 0 || frames <= kMaxTotalPixels / pixels) return;
  throw Error(ErrorKind::kInput,
              "{} holds {} frames of {}×{} pixels, but at most {} pixels are read in all; scale it down or cut it into "
              "pieces",
              printable(path.string()), frames, width, height, kMaxTotalPixels);
}

std::vector<double> times_in_part(const fs::path& path, const FrameSourceOptions& options,
                                  std::span<const double> seconds, double frames_per_second) {
  std::vector<double> part;
  std::ranges::copy_if(seconds, std::back_inserter(part), [&](double time) { return options.holds(time); });
  if (!part.empty() || seconds.empty()) return part;
  const double first = seconds.front();
  const double last = seconds.back();
  const double end = last + 1 / frames_per_second;
  const double start = options.start_seconds;
  std::string reason =
      fmt::format("nothing is shown first between {:.6g} and {:.6g} seconds", start, options.end_seconds.value_or(end));
  if (start > last) {
    reason = start >= end ? fmt::format("--start {:.6g} is behind the end, {:.6g} seconds", start, end)
                          : fmt::format("--start {:.6g} is behind the last frame, at {:.6g} seconds", start, last);
  } else if (options.end_seconds && *options.end_seconds <= first) {
    reason = fmt::format("--end {:.6g} is before the first frame, at {:.6g} seconds", *options.end_seconds, first);
  }
  throw Error(ErrorKind::kInput, "{} has no frame in the part asked for: {}; choose another part",
              printable(path.string()), reason);
}

}  // namespace unianimate
