// How the frames of a video and the latents of a clip belong together.
#pragma once

#include <cstdint>

namespace unianimate::family {

/// A latent of a clip stands for one frame or for several that follow each other; the first may stand for fewer.
struct ClipGeometry {
  std::int64_t channels = 1;           ///< of a latent
  std::int64_t pixels_per_latent = 1;  ///< along each side
  std::int64_t side_unit = 1;          ///< pixels that both sides of a video are multiples of
  std::int64_t first_frames = 1;       ///< frames that the first latent of a clip stands for
  std::int64_t frames_per_latent = 1;  ///< frames that each of the others stands for
  bool latents_decode_alone = true;    ///< whether decoding may begin at any latent of a clip

  /// As few as stand for so many frames, at least 1.
  [[nodiscard]] std::int64_t latents_of(std::int64_t frames) const {
    return frames <= first_frames ? 1 : 1 + (frames - first_frames + frames_per_latent - 1) / frames_per_latent;
  }
  /// Frames that the first `latents` of a clip stand for; 0 for none.
  [[nodiscard]] std::int64_t frames_of(std::int64_t latents) const {
    return latents == 0 ? 0 : first_frames + (latents - 1) * frames_per_latent;
  }
};

/// Size of a clip of latents, or of a window of it.
struct ClipShape {
  std::int64_t latents = 0;
  std::int64_t height = 0;  ///< H / pixels_per_latent
  std::int64_t width = 0;   ///< W / pixels_per_latent

  [[nodiscard]] std::int64_t elements() const { return latents * height * width; }
};

}  // namespace unianimate::family
