// Inside pose: frames as they come out of a file, within limits that keep memory bounded.
#pragma once

#include <cmath>
#include <string_view>
#include <vector>

#include "unianimate/pose/format/json_reading.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

inline constexpr std::size_t kMaxFrames = 1'000'000;
inline constexpr std::size_t kMaxPeopleInFrame = 1'000;
inline constexpr std::size_t kMaxPeople = 300'000;  ///< in all frames; one GB
inline constexpr double kMaxCoordinate = 1e9;       ///< pixels; squares of it are far from overflowing
inline constexpr int kMaxSide = 16384;              ///< pixels of width and height
inline constexpr double kMinFramesPerSecond = 0.01;
inline constexpr double kMaxFramesPerSecond = 1000;

inline constexpr std::size_t kPointNumbers = 3;  ///< x, y, score

/// Unseen where one of the three is NaN.
inline Keypoint known_point(double x, double y, double score) {
  return std::isnan(x + y + score) ? Keypoint{} : Keypoint{{x, y}, score};
}

class FrameCollector {
 public:
  /// Both throw Error(kInput) naming the place where a limit is passed. A reference is valid until the next call.
  PoseFrame& add_frame(const JsonField& place);
  Person& add_person(const JsonField& place);

  [[nodiscard]] std::vector<PoseFrame>& frames() { return frames_; }

 private:
  std::vector<PoseFrame> frames_;
  std::size_t people_ = 0;
};

}  // namespace unianimate::pose
