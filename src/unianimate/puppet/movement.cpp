#include "unianimate/puppet/movement.h"

namespace unianimate::puppet {

SeededMovement::SeededMovement(const Motion& motion, const Identity& identity, const Stage& stage)
    : motion_(motion), identity_(identity), stage_(stage) {}

Stance SeededMovement::at(double seconds) const {
  const Posture posture = motion_.at(seconds);
  return {posture, place_body(posture, identity_, stage_), stage_.height};
}

Stance SeededMovement::reference() const {
  constexpr double kLongBeforeTheFirstFrame = -7;
  return at(kLongBeforeTheFirstFrame);
}

}  // namespace unianimate::puppet
