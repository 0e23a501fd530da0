// How a body is held at each moment of a clip, wherever that comes from.
#pragma once

#include "unianimate/puppet/motion.h"

namespace unianimate::puppet {

/// All that draw_person() wants to know of one moment.
struct Stance {
  Posture posture;
  pose::Keypoints points{};
  double unit = 0;  ///< pixels of a body height
};

/// Can be asked by several threads at once.
class Movement {
 public:
  virtual ~Movement() = default;
  /// Any time, also before and after the clip.
  [[nodiscard]] virtual Stance at(double seconds) const = 0;
  /// Another moment, for the reference picture.
  [[nodiscard]] virtual Stance reference() const = 0;

 protected:
  Movement() = default;
  Movement(const Movement&) = default;
  Movement& operator=(const Movement&) = default;
};

/// What a seed makes of a kind of motion.
class SeededMovement : public Movement {
 public:
  SeededMovement(const Motion& motion, const Identity& identity, const Stage& stage);
  [[nodiscard]] Stance at(double seconds) const override;
  [[nodiscard]] Stance reference() const override;

 private:
  Motion motion_;
  Identity identity_;
  Stage stage_;
};

}  // namespace unianimate::puppet
