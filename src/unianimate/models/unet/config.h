// The sizes of the UNet.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "unianimate/fields/words.h"
#include "unianimate/models/checkpoint_shapes.h"

namespace unianimate::models {

/// What mixes the frames of a pixel: attention, as published, or a selective state space in both directions.
enum class TemporalKind { kTransformer, kMamba };
constexpr auto words(TemporalKind /*of*/) {
  return std::array<fields::Word<TemporalKind>, 2>{
      {{TemporalKind::kTransformer, "transformer"}, {TemporalKind::kMamba, "mamba"}}};
}

/// The defaults are the published sizes.
struct UNetConfig {
  std::int64_t dim = 320;                             ///< channels of the outermost level
  std::vector<std::int64_t> dim_mult = {1, 2, 4, 4};  ///< channels of each level as multiples of dim
  std::int64_t num_res_blocks = 2;                    ///< residual blocks per level in the encoder
  std::int64_t head_dim = 64;                         ///< channels of one attention head
  std::int64_t num_heads = 8;                         ///< heads of the first temporal transformer only
  std::int64_t context_dim = 1024;                    ///< width of the text and image embeddings
  std::int64_t num_tokens = 4;                        ///< context tokens made of the image embedding
  std::int64_t concat_dim = 8;                        ///< channels each condition stem adds to the latent
  std::int64_t norm_groups = 32;                      ///< groups of every GroupNorm

  TemporalKind temporal = TemporalKind::kTransformer;  ///< at every level
  std::int64_t d_state = 16;                           ///< states of each channel of a temporal Mamba
  std::int64_t expand = 2;                             ///< its inner width as a multiple of the outer one

  static constexpr std::int64_t kLatentChannels = 4;

  /// Channels of what enters the UNet: the latent and the concatenated conditions.
  [[nodiscard]] std::int64_t input_channels() const { return kLatentChannels + concat_dim; }
  /// Width of the time embedding.
  [[nodiscard]] std::int64_t time_dim() const { return 4 * dim; }
  /// Whether level `level` (0 is the outermost) has attention: all but the deepest.
  [[nodiscard]] bool has_attention(std::size_t level) const { return level + 1 < dim_mult.size(); }
  /// By how much the deepest level is smaller than the latent; the latent's sides must be multiples of it.
  [[nodiscard]] std::int64_t downscale() const { return std::int64_t{1} << (dim_mult.size() - 1); }
  /// How many input_blocks there are; and as many output_blocks.
  [[nodiscard]] std::int64_t block_count() const {
    return (num_res_blocks + 1) * static_cast<std::int64_t>(dim_mult.size());
  }
  /// The cut (see DeepFeatures) under which everything below a level lies, which is not the deepest.
  [[nodiscard]] std::int64_t cut_below(std::int64_t level) const { return (num_res_blocks + 1) * (level + 1); }

  /// Throws Error(kUsage) that names the field, what was expected and what was given.
  void check() const;

  bool operator==(const UNetConfig&) const = default;
};

/// Works the sizes out from a checkpoint's shapes. Shapes cannot tell norm_groups, nor head_dim apart from num_heads
/// (only their product): these are taken from `assumed`. Throws Error(kInput) where the shapes are not a UNet's.
UNetConfig unet_config_from_shapes(const Shapes& shapes, const UNetConfig& assumed = {});

}  // namespace unianimate::models
