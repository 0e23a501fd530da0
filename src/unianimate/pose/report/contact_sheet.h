// One picture of a whole aligned motion.
#pragma once

#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

struct ContactSheetLayout {
  int columns = 6;
  int rows = 4;
  int cell = 320;  ///< no picture is wider or higher, in pixels
};

/// On white: first the reference picture with its own pose, then frames spread evenly over the motion from the first to
/// the last, each as its pose over the dimmed reference picture with its number and time below; it says so where the
/// pose was filled in or there is none. A short motion leaves out columns and rows it does not need.
/// Throws Error(kUsage) unless 1 <= columns <= 100, 1 <= rows <= 100, 32 <= cell <= 1024 and there are at least two
/// cells.
Image contact_sheet(const AlignedPoses& poses, const Image& reference_picture, const ContactSheetLayout& layout = {});

}  // namespace unianimate::pose
