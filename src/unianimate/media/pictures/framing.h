// Which part of a picture becomes the video, and which size suits a picture.
#pragma once

#include <array>

#include "unianimate/fields/words.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate {

/// A part of a picture, in shares of its width and height from its upper left corner; what lies below 0 or above 1 is
/// beside the picture.
struct Framing {
  double left = 0;
  double top = 0;
  double right = 1;
  double bottom = 1;

  [[nodiscard]] bool is_whole() const { return *this == Framing{}; }
  friend bool operator==(const Framing&, const Framing&) = default;
};

/// How a picture of one aspect becomes a video of another.
enum class Fit {
  kStretch,  ///< the whole picture, pulled to the video's aspect, as published
  kCrop,     ///< what fits around the person; beside the picture only where head or feet would be lost
  kPad,      ///< the whole picture, with a border
};

constexpr auto words(Fit /*of*/) {
  return std::array<fields::Word<Fit>, 3>{{{Fit::kStretch, "stretch"}, {Fit::kCrop, "crop"}, {Fit::kPad, "pad"}}};
}

/// Width and height in pixels.
struct PictureSize {
  int width = 0;
  int height = 0;

  [[nodiscard]] double aspect() const { return static_cast<double>(width) / height; }
  friend bool operator==(const PictureSize&, const PictureSize&) = default;
};

/// `picture`'s part of the aspect of `video` for that fit. `person`: where the person is, which kCrop keeps, with a
/// margin of a twentieth of its sides where the picture has it; the whole picture where nothing is known.
Framing frame_for(Fit fit, PictureSize picture, PictureSize video, const Framing& person = {});

/// The size, in multiples of `unit` pixels, whose aspect and area are nearest to the picture's aspect and to the area
/// of `usual`: a difference of a tenth in aspect weighs as much as one of three tenths in area. Aspects beyond 1:4 and
/// 4:1 count as these.
PictureSize size_for(PictureSize picture, PictureSize usual, int unit);

/// By how much width grows against height where that part of the picture becomes the video: 1 is not at all, 1.33 a
/// third too wide, 0.75 a third too tall.
double stretch_of(const Framing& framing, PictureSize picture, PictureSize video);

/// What shows beside the picture.
enum class Border {
  kEdge,   ///< the nearest pixel of the picture
  kBlack,  ///< as in pose pictures
};

/// That part of the picture, its edges moved to whole pixels. Throws Error(kInput) where it is empty or far larger
/// than the picture.
Image framed(const Image& picture, const Framing& framing, Border border);

/// The picture with what is beside that part of it darker.
Image dimmed_outside(const Image& picture, const Framing& framing);

}  // namespace unianimate
