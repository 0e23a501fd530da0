// Inside media: what shows where a picture is transparent.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "unianimate/media/pictures/color.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate {

/// Takes the alpha off pictures that have it, and remembers whether it hid anything.
class Transparency {
 public:
  /// Without a background the colours stay that are stored beneath, as in the published program.
  explicit Transparency(std::optional<Color> background) : background_(background) {}

  /// Pixels of R, G, B, A become pixels of R, G, B; both may begin at the same byte.
  void flatten(std::span<const std::uint8_t> rgba, std::span<std::uint8_t> rgb);
  /// A whole picture of R, G, B, A without gaps between its rows, in the memory it has.
  Image flatten(std::vector<std::uint8_t> rgba, int width, int height);

  /// Whether any pixel was not wholly opaque.
  [[nodiscard]] bool found() const { return found_; }

 private:
  std::optional<Color> background_;
  bool found_ = false;
};

}  // namespace unianimate
