// Where finished frames go, one by one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "unianimate/media/pictures/image.h"

namespace unianimate {

/// Frames are handed over in order and are not kept, so memory does not grow with the length of the video. Only
/// finish() makes the result appear at its final place: a sink destroyed before leaves what stood there untouched and
/// nothing half written behind.
class FrameSink {
 public:
  virtual ~FrameSink() = default;

  /// Throws Error(kUsage) for a frame of another size than announced, Error(kEnvironment) where it cannot be written;
  /// the sink is of no use after the latter.
  virtual void write(const Image& frame) = 0;
  /// Call once, after the last frame. Throws as write() does, and Error(kUsage) where there was no frame.
  virtual void finish() = 0;
  /// What the result lacks so far although it is whole: "the sound ends early: ...". Empty while all is well.
  [[nodiscard]] virtual std::string trouble() const { return {}; }

 protected:
  FrameSink() = default;
  FrameSink(const FrameSink&) = default;
  FrameSink& operator=(const FrameSink&) = default;
};

/// Opens a sink for frames of width × height at a place; for those who write videos without knowing what kinds there
/// are.
using OpenFrameSink = std::function<std::unique_ptr<FrameSink>(const std::filesystem::path& path, int width, int height,
                                                               double frames_per_second)>;

/// What every sink checks; throw Error(kUsage).
void check_frame_size(const Image& frame, int width, int height);
void check_frame_count(std::int64_t count, const std::filesystem::path& output);

}  // namespace unianimate
