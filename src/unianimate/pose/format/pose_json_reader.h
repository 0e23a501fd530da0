// Inside pose: makes poses of the parts of a poses.json.
#pragma once

#include <limits>
#include <string_view>

#include "unianimate/pose/format/frame_collector.h"
#include "unianimate/pose/format/json_reading.h"
#include "unianimate/pose/format/pose_json.h"

namespace unianimate::pose {

/// Names in the file, for reader and writer.
inline constexpr std::string_view kPoseFormat = "unianimate-poses";
inline constexpr int kPoseFormatVersion = 1;
inline constexpr std::string_view kDetected = "detected";
inline constexpr std::string_view kAligned = "aligned";

/// Takes the frames in order, then what stands beside them.
class PoseJsonReader {
 public:
  /// `document`: as far as it has been read; throws where that tells already that it is of another format or version.
  void add_frame(const JsonField& frame, const JsonField& document);
  [[nodiscard]] Poses finish(const JsonField& document);

 private:
  FrameCollector frames_;
  double seconds_ = -std::numeric_limits<double>::infinity();  // of the last frame
};

}  // namespace unianimate::pose
