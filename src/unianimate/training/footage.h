// What there is to train on, whatever it comes from.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

namespace unianimate::training {

/// Moments of one person in front of one background.
struct Footage {
  at::Tensor pictures;        ///< uint8 (moments, H, W, 3)
  at::Tensor poses;           ///< uint8 (moments, H, W, 3), pose pictures
  at::Tensor faces;           ///< uint8 (moments, H, W), 1 where the face is
  std::int64_t coherent = 0;  ///< the first so many moments follow each other at equal intervals

  [[nodiscard]] std::int64_t moments() const { return pictures.size(0); }
};

class FootageSource {
 public:
  virtual ~FootageSource() = default;
  /// How many people, clips or variants of clips there are.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// The same index gives the same footage. May be called by several threads at once.
  [[nodiscard]] virtual Footage load(std::int64_t index) const = 0;
  /// One line that tells this material from any other.
  [[nodiscard]] virtual std::string description() const = 0;
};

}  // namespace unianimate::training
