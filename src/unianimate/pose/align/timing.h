// Poses in time: gaps filled, rates changed, trembling smoothed. All for sequences of one person.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// What a motion is taken to have that does not say it.
constexpr double kUntoldFramesPerSecond = 16;

/// What is unseen for no longer is usually interpolated.
constexpr double kGapSeconds = 0.5;

/// What was filled in. Frame numbers are those of the sequence.
struct FilledGaps {
  std::vector<std::int64_t> interpolated;  ///< nobody was found, and the person was put between the frames around
  std::vector<std::int64_t> held;          ///< nobody was found for longer, or at an end: the nearest pose stands still
};

enum class GapKind { kPeople, kPeopleAndPoints };

/// Puts somebody into every frame. Gaps up to `limit_seconds` are interpolated, also (unless only people are wanted)
/// those of single points that are unseen for so long (hands as they move with the wrist, the face with the nose); in
/// longer ones, and before the first and after the last sighting, the nearest pose is held. Filled people are marked.
/// Nothing happens to a sequence without anybody.
FilledGaps fill_gaps(PoseSequence& sequence, double limit_seconds, GapKind kind = GapKind::kPeopleAndPoints);

/// Of the frames' own times, see frame_rate(); sequence.frames_per_second is what is told.
double rate_of_times(const PoseSequence& sequence);

/// A longer pause is cut down to this.
constexpr double kLongestPauseSeconds = 10;

/// What hold_pauses() did. All times are since the sequence's first frame.
struct HeldPauses {
  struct Cut {
    double seconds = 0;  ///< where time was taken out
    double removed_seconds = 0;
  };

  std::int64_t count = 0;
  double held_seconds = 0;  ///< without what was taken out
  std::vector<Cut> cuts;

  /// When in the motion as it was the pose at this time was seen.
  [[nodiscard]] double uncut(double seconds) const;
};

/// Where the next frame comes later than `shortest_seconds` and than three usual intervals (1 / frames_per_second), or
/// than kLongestPauseSeconds, the people stand still until it comes: the frame before is repeated just before it. Call
/// before fill_gaps().
HeldPauses hold_pauses(PoseSequence& sequence, double shortest_seconds);

/// What people should know of them, one sentence each.
std::vector<std::string> describe(const HeldPauses& pauses);

/// The sequence at equal times, `frames_per_second` of them, from its first frame to its last: positions between two
/// frames are interpolated linearly, scores are the smaller of the two. Call after fill_gaps().
/// Throws Error(kUsage) unless 0.001 <= frames_per_second <= 1000, Error(kInput) for more than 300 000 frames.
PoseSequence resample(const PoseSequence& sequence, double frames_per_second);

/// The One-Euro filter (Casiez, Roussel, Vogel, CHI 2012) over every point, forwards and backwards so that nothing
/// lags: slow movement is smoothed by `min_cutoff_hertz`, fast movement less, by `beta` for each body size a second.
struct OneEuro {
  double min_cutoff_hertz = 2;
  double beta = 3;
};
void smooth(PoseSequence& sequence, const OneEuro& filter = {});

}  // namespace unianimate::pose
