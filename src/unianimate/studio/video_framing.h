// How large a video is, and which part of the reference picture it shows.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "unianimate/fields/value.h"
#include "unianimate/media/pictures/framing.h"
#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/align/alignment.h"
#include "unianimate/pose/format/keypoints.h"

namespace unianimate::studio {

/// Of the video: pixels, or what suits the reference picture.
struct SizeChoice {
  std::optional<PictureSize> pixels;  ///< none: see size_for()
};

/// How a reference picture becomes a video of that size.
struct VideoFrame {
  Fit fit = Fit::kStretch;
  PictureSize size;
};

/// Where the person is in a picture of that size, with room for the top of the head and the feet, which lie beyond all
/// keypoints; of somebody whose feet are not in the picture, down to the hips. The whole picture where nothing is seen.
Framing person_in(const pose::Keypoints& keypoints, PictureSize picture);

/// The same of the picture of a drawn pose: what is not black.
Framing person_in(const Image& pose_picture);

/// What a video of that frame shows of the person's picture.
Framing framing_of(const VideoFrame& frame, const pose::ReferencePose& person);

/// The size of whole pose pictures whose shown part then has about as many pixels as the published ones, and as wide
/// as high: poses are drawn with lines of a fixed width.
pose::Canvas canvas_for(const Framing& framing, PictureSize video);

}  // namespace unianimate::studio

/// "auto" or "512x768".
template <>
struct unianimate::fields::TextForm<unianimate::studio::SizeChoice> {
  static std::string text(const studio::SizeChoice& size);
  static studio::SizeChoice parse(std::string_view text);
};
