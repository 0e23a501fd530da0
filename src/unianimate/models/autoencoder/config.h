// The sizes of the autoencoder.
#pragma once

#include <cstdint>
#include <vector>

#include "unianimate/models/checkpoint_shapes.h"

namespace unianimate::models {

/// The defaults are the published sizes (the first stage of Stable Diffusion 2.1).
struct AutoencoderConfig {
  std::int64_t ch = 128;                             ///< channels of the outermost level
  std::vector<std::int64_t> ch_mult = {1, 2, 4, 4};  ///< channels of each level as multiples of ch
  std::int64_t num_res_blocks = 2;                   ///< residual blocks per encoder level; the decoder has one more
  std::int64_t z_channels = 4;                       ///< channels of the latent
  std::int64_t norm_groups = 32;                     ///< groups of every GroupNorm
  double scale_factor = 0.18215;                     ///< latents are this times the posterior's sample

  /// Picture sides over latent sides.
  [[nodiscard]] std::int64_t downscale() const { return std::int64_t{1} << (ch_mult.size() - 1); }
  /// Channels of the deepest level.
  [[nodiscard]] std::int64_t deepest_width() const { return ch * ch_mult.back(); }

  /// Throws Error(kUsage) that names the field, what was expected and what was given.
  void check() const;

  bool operator==(const AutoencoderConfig&) const = default;
};

/// Works the sizes out from a checkpoint's shapes (names without first_stage_model.); norm_groups and scale_factor,
/// which shapes cannot tell, are taken from `assumed`. Throws Error(kInput) where they are not an autoencoder's.
AutoencoderConfig autoencoder_config_from_shapes(const Shapes& shapes, const AutoencoderConfig& assumed = {});

}  // namespace unianimate::models
