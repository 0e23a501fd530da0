// One video that is to be made: what it is to be, and where it goes.
#pragma once

#include <filesystem>
#include <optional>

#include "unianimate/family/request.h"
#include "unianimate/media/film/audio.h"
#include "unianimate/media/film/motion_interpolation.h"

namespace unianimate::studio {

constexpr const char* kInterpolateHelp =
    "Times as many frames in the video, 2 to 4: those between are guessed from the movement of the frames that the "
    "models make; sound and duration stay; 1: none";

struct VideoJob {
  family::AnimateRequest request;
  std::filesystem::path output;
  double frames_per_second = 8;  ///< of those that the models make
  int interpolate = 1;           ///< times as many frames are shown, see interpolate_motion(); 1: none between
  int threads = 0;               ///< of the encoder; 0: as many as suit the machine
  std::optional<AudioSource> audio = std::nullopt;  ///< sound to go with it
  /// Where it is known: the video then plays a frame for every pose it takes, whatever frames_per_second says.
  std::optional<double> poses_per_second = std::nullopt;
  /// Where it is written instead of the output, which goes on naming the job for whoever resumes it; empty: there.
  std::filesystem::path written_as = {};

  /// Frames a second of the file.
  [[nodiscard]] double shown_per_second() const { return frames_per_second * interpolate; }
};

}  // namespace unianimate::studio
