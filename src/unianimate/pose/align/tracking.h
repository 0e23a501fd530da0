// Who is who from frame to frame, and which of them is wanted.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// Mean colours of someone's clothes, 0 … 1, red first.
struct Appearance {
  std::array<double, 3> torso{};
  std::array<double, 3> thighs{};
};
/// Nothing where the shoulders are unseen or no part of the torso is in the picture. Thighs that are not shown are
/// taken to look like the torso.
std::optional<Appearance> appearance_of(const Image& picture, const Keypoints& keypoints);

/// Someone in one frame.
struct Sighting {
  Keypoints keypoints{};
  std::optional<Appearance> appearance;
};

/// Track numbers for all sightings, frame by frame. A sighting continues the track whose expected place and clothes fit
/// best, so that people keep their numbers where they cross, and in the same clothes beyond a cut. Tracks are numbered
/// by how much they matter: 0 is who is largest, nearest to the middle of the width × height pictures and longest
/// there.
std::vector<std::vector<std::int64_t>> assign_tracks(const std::vector<std::vector<Sighting>>& frames, int width,
                                                     int height);

/// In how many frames each track is.
std::map<std::int64_t, std::int64_t> count_tracks(const PoseSequence& sequence);

/// Which person of a video.
struct PersonChoice {
  enum class Kind { kMain, kLargest, kCenter, kLeft, kRight, kTrack, kAt };
  Kind kind = Kind::kMain;
  std::int64_t track = 0;  ///< kTrack
  Point at;                ///< kAt: pixels; who is nearest to it when first seen

  /// "main", "largest", "center", "left", "right", a track number, or "x,y" in pixels. Throws Error(kUsage).
  static PersonChoice parse(std::string_view text);
};

/// The sequence with that person alone; frames without them are empty. Throws Error(kInput) where there is nobody in
/// any frame, saying how many were looked at, or no such track, saying which there are.
PoseSequence choose_person(const PoseSequence& sequence, const PersonChoice& choice);

}  // namespace unianimate::pose
