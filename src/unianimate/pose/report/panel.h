// Pictures with poses over them, at the size a person wants to look at.
#pragma once

#include <cstdint>
#include <vector>

#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/format/keypoints.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// In pixels; both at least 1.
struct PixelSize {
  int width = 1;
  int height = 1;

  friend bool operator==(PixelSize, PixelSize) = default;
};

/// The largest size of this aspect inside the box; no side is under 1.
PixelSize fitted_size(PixelSize picture, PixelSize box);

/// A picture in the middle of a box that it was scaled to fit, and poses over it.
class Panel {
 public:
  /// Poses come in pixels of a picture of `pose_size` that shows the same, perhaps stretched. What the picture leaves
  /// of the box is `background` in all channels.
  Panel(const Image& picture, PixelSize pose_size, PixelSize box, std::uint8_t background);

  /// Makes picture and background darker, by a factor from 0 to 1.
  void dim(double factor);

  /// A copy of the size of the box with the pose; null: without. Points whose coordinates are no numbers are left out.
  [[nodiscard]] Image with(const Keypoints* pose) const;
  /// The same with several people, each with the number of its track at its neck.
  [[nodiscard]] Image with_numbered(const std::vector<Person>& people) const;

 private:
  [[nodiscard]] Keypoints in_panel(Keypoints pose) const;

  Image picture_;
  Point factor_;
  Point offset_;
};

}  // namespace unianimate::pose
