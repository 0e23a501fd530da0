// Which parts of a video are fit to train on, and where in the picture the person is.
#pragma once

#include <cstddef>
#include <vector>

#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::training {

/// Whole pixels of the video.
struct PixelBox {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
};

/// Frames in which the person is seen without a break, and one place in the picture for all of them.
struct VideoSegment {
  std::vector<std::size_t> frames;  ///< of the sequence, rising, at about equal times
  PixelBox crop;
};

struct SegmentOptions {
  int width = 0;  ///< pixels of the pictures to train on
  int height = 0;
  double frame_rate = 16;  ///< at most so many frames of a second, give or take a tenth
};

struct CutVideo {
  std::vector<VideoSegment> segments;
  int too_small = 0;  ///< segments left out because they would have to be enlarged more than twice
};

inline constexpr std::size_t kLongestSegment = 64;  ///< frames
inline constexpr std::size_t kShortestSegment = 2;  ///< frames

/// `person`: one person at most in each frame. A segment ends where they are not seen (or with fewer than five points
/// of the body), where the video leaves out time or cuts to another place, where they walk out of the largest crop, and
/// after kLongestSegment frames. The crop has the training pictures' aspect ratio, lies inside the picture, and is
/// as large as the person needs over the whole segment, with a margin.
CutVideo cut_video(const pose::PoseSequence& person, const SegmentOptions& options);

}  // namespace unianimate::training
