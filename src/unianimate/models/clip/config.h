// The sizes of the two OpenCLIP towers.
#pragma once

#include <cstdint>

#include "unianimate/models/checkpoint_shapes.h"

namespace unianimate::models {

/// The defaults are the published sizes (ViT-H-14, laion2b_s32b_b79k).
struct ClipConfig {
  struct Vision {
    std::int64_t width = 1280;
    std::int64_t layers = 32;
    std::int64_t heads = 16;
    std::int64_t mlp_ratio = 4;
    std::int64_t image_size = 224;  ///< sides of the picture in pixels
    std::int64_t patch_size = 14;   ///< sides of a patch in pixels
    bool operator==(const Vision&) const = default;
  };
  struct Text {
    static constexpr std::int64_t kMlpRatio = 4;
    std::int64_t width = 1024;
    std::int64_t layers = 24;
    std::int64_t heads = 16;
    std::int64_t context_length = 77;
    std::int64_t vocab_size = 49408;
    /// Tokens that begin and end every prompt, the last two of the vocabulary; 0 fills up what follows.
    [[nodiscard]] std::int64_t start_of_text() const { return vocab_size - 2; }
    [[nodiscard]] std::int64_t end_of_text() const { return vocab_size - 1; }
    bool operator==(const Text&) const = default;
  };
  std::int64_t embed_dim = 1024;  ///< width of the picture's embedding
  Vision vision{};
  Text text{};

  /// Throws Error(kUsage) that names the field, what was expected and what was given.
  void check() const;

  bool operator==(const ClipConfig&) const = default;
};

/// Works the sizes out from a checkpoint's shapes; the numbers of heads, which shapes cannot tell, are taken from
/// `assumed`. Throws Error(kInput) where they are not those of an OpenCLIP ViT with both towers.
ClipConfig clip_config_from_shapes(const Shapes& shapes, const ClipConfig& assumed = {});

}  // namespace unianimate::models
