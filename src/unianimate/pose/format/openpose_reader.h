// Inside pose: makes poses of frames as OpenPose and ComfyUI write them. pose_import.h tells how they are understood.
#pragma once

#include <array>
#include <limits>
#include <string>

#include "unianimate/pose/format/frame_collector.h"
#include "unianimate/pose/format/json_reading.h"
#include "unianimate/pose/format/pose_import.h"

namespace unianimate::pose {

/// Takes the frames in order.
class OpenPoseReader {
 public:
  void add_frame(const JsonField& frame);
  /// Without people. Throws Error(kInput) naming the place beyond the limit of frames.
  void add_empty_frames(std::int64_t count, const JsonField& place);
  /// `format`: what to name as the detector. `place`: the file or folder as a whole.
  [[nodiscard]] PoseSequence finish(const ImportOptions& options, const std::string& format, const JsonField& place);

 private:
  /// Points that share one unit, and where those of them lie that are seen.
  struct Group {
    std::size_t begin = 0;  // keypoints
    std::size_t end = 0;
    double min = std::numeric_limits<double>::infinity();
    double max_x = -std::numeric_limits<double>::infinity();
    double max_y = -std::numeric_limits<double>::infinity();
    std::size_t coordinates = 0;
    std::size_t negative = 0;

    void note(const Keypoint& keypoint);
    [[nodiscard]] bool normalised() const;
  };

  /// What was passed over.
  struct Unread {
    std::size_t count = 0;
    std::string first;  // what was wrong, and where

    /// Throws it again where it is not the input's fault.
    void add(const Error& error);
  };

  void read_canvas(const JsonField& frame);
  void read_person(const JsonField& person, std::size_t index);
  void find_size(const ImportOptions& options, const JsonField& place);

  FrameCollector frames_;
  int width_ = 0;  // 0 until known
  int height_ = 0;
  bool any_person_ = false;
  Unread unread_people_;
  Unread unread_parts_;
  std::array<Group, 4> groups_{{{0, kFace}, {kFace, kLeftHand}, {kLeftHand, kRightHand}, {kRightHand, kKeypoints}}};
};

}  // namespace unianimate::pose
