// More frames than were made: those between are guessed from the movement of the frames on either side.
#pragma once

#include <cstdint>
#include <memory>

#include "unianimate/media/pictures/frame_sink.h"

namespace unianimate {

/// Each frame may be followed by up to three that are interpolated.
constexpr int kMostInterpolated = 4;
/// What interpolate_motion() holds for each pixel of a frame; 352 to 379 were measured.
constexpr std::int64_t kInterpolationPixelBytes = 380;

/// A sink for frames of width × height that gives `sink`, which shows `times` as many frames a second, every frame as
/// it is and times - 1 after it, so that the video lasts as long as without: those between two frames by FFmpeg's
/// minterpolate (overlapped block motion compensation), after a cut the nearer frame, after the last frame itself.
/// The same frames give the same ones between. Holds about kInterpolationPixelBytes, however long the video.
/// Throws Error(kUsage) unless 2 <= times <= kMostInterpolated, Error(kEnvironment) where this FFmpeg lacks the filter.
std::unique_ptr<FrameSink> interpolate_motion(std::unique_ptr<FrameSink> sink, int width, int height, int times);

}  // namespace unianimate
