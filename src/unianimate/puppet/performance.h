// Poses from elsewhere, performed by a procedural person.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "unianimate/fields/words.h"
#include "unianimate/pose/align/tracking.h"
#include "unianimate/pose/format/pose_sequence.h"
#include "unianimate/puppet/movement.h"

namespace unianimate::puppet {

/// Whose lengths the bones have.
enum class Bones {
  kOfPoses,   ///< as the poses show them, at the poses' place in their picture
  kOfPerson,  ///< the procedural person's, who stands where it always stands
};
constexpr auto words(Bones /*of*/) {
  return std::array<fields::Word<Bones>, 2>{{{Bones::kOfPoses, "poses"}, {Bones::kOfPerson, "person"}}};
}

/// One person of everybody in a file (see pose::import_poses()), without gaps and in equal steps: of
/// `frames_per_second`, else the file's own, else 16. Short gaps are interpolated, in longer ones the nearest pose is
/// held, in pauses the last; the notes tell of these. Throws Error(kInput) where the person is in no frame,
/// Error(kUsage) for an impossible frame rate.
pose::PoseSequence poses_to_perform(const pose::PoseSequence& everybody, const pose::PersonChoice& choice,
                                    std::optional<double> frames_per_second);

/// The poses' frames one after another; the first and the last stand still beyond the ends.
///
/// All 134 points are there and lie where the figure is drawn. Seen ones of body, feet and hands stay where the poses
/// have them; unseen ones hang on the nearest seen one as the person would hold itself. Eyes, ears and face are the
/// person's own, placed by the nose, turned and tilted as the poses' head; procedural people show their face even
/// where the poses turn away. Which side is near is judged from the turn of the body.
class Performance : public Movement {
 public:
  /// `poses`: from poses_to_perform(). For kOfPoses their picture is scaled into the middle of a width × height one.
  Performance(const pose::PoseSequence& poses, Bones bones, const Identity& identity, int width, int height);
  [[nodiscard]] Stance at(double seconds) const override;
  /// The moment of which most is seen and which faces the viewer most.
  [[nodiscard]] Stance reference() const override { return stances_[reference_]; }

 private:
  double frames_per_second_;
  std::vector<Stance> stances_;  ///< one for each frame
  std::size_t reference_ = 0;
};

}  // namespace unianimate::puppet
