// What a model made of a person, as a video beside the truth.
#pragma once

#include <span>

#include "unianimate/media/pictures/frame_sink.h"

namespace unianimate::evaluation {

/// Frames of one video; all pictures have one size.
struct ResultFrames {
  const Image& reference;
  std::span<const Image> poses;
  std::span<const Image> result;
  std::span<const Image> truth;
};

/// Writes four columns: reference, pose, result, truth; small pictures enlarged by a whole number to at least 256 rows.
/// The three spans must be equally long. Throws what `open` and its sink throw.
void write_result_video(const OpenFrameSink& open, const std::filesystem::path& path, const ResultFrames& frames,
                        double frames_per_second);

}  // namespace unianimate::evaluation
