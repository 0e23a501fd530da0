#include "unianimate/models/unet/cost.h"

#include <numeric>
#include <utility>

namespace unianimate::models {

namespace {

/// Adds up the layers of one pass; sizes in double, since products overflow 64 bits' integers late but surely.
class Counter {
 public:
  Counter(const UNetConfig& config, const LatentShape& shape)
      : config_(config),
        clips_(static_cast<double>(shape.batch)),
        frames_(static_cast<double>(shape.frames + 1)),
        pixels_(static_cast<double>(shape.height * shape.width)),
        of_level_(config.dim_mult.size()) {}

  /// Where what follows is counted.
  void enter(std::size_t level) { level_ = level; }

  /// Whether what follows is computed at all.
  void computes(bool computed) { computed_ = computed; }
  void convolution(std::int64_t in, std::int64_t out, int kernel_elements) {
    if (!computed_) return;
    of_level_[level_] += 2.0 * tokens() * static_cast<double>(in) * static_cast<double>(out) * kernel_elements;
  }
  void residual_block(std::int64_t in, std::int64_t out) {
    convolution(in, out, 9);
    convolution(out, out, 9);
    if (in != out) convolution(in, out, 1);
    for (int i = 0; i < 4; ++i) convolution(out, out, 3);
  }
  void spatial_transformer(std::int64_t channels) {
    constexpr double kPromptTokens = 77;
    transformer_linears(channels, channels);
    for (int i = 0; i < 4; ++i) convolution(channels, channels, 1);  // q, k, v, out of the self-attention
    for (int i = 0; i < 2; ++i) convolution(channels, channels, 1);  // q, out of the cross-attention
    attention(channels, pixels_);
    attention(channels, kPromptTokens + static_cast<double>(config_.num_tokens));
  }
  void temporal_transformer(std::int64_t channels, std::int64_t inner) {
    transformer_linears(channels, inner);
    if (config_.temporal == TemporalKind::kMamba) return mamba(inner);
    for (int i = 0; i < 8; ++i) convolution(inner, inner, 1);
    attention(inner, frames_);
    attention(inner, frames_);
  }
  void halve() { pixels_ /= 4; }
  void double_sides() { pixels_ *= 4; }
  [[nodiscard]] std::vector<double> of_levels() const { return of_level_; }
  /// Of all pixels and temporal Mambas.
  [[nodiscard]] double mamba_channels() const { return mamba_channels_; }

 private:
  [[nodiscard]] double tokens() const { return clips_ * frames_ * pixels_; }
  /// The projections that both directions share, then each direction's own, and of every state an exponential, counted
  /// as one, two multiplications and two multiply-adds.
  void mamba(std::int64_t dim) {
    constexpr int kOfState = 7;
    const std::int64_t inner = config_.expand * dim;
    const std::int64_t rank = Mamba::dt_rank(dim);
    mamba_channels_ += clips_ * pixels_ * static_cast<double>(inner);
    convolution(dim, 2 * inner, 1);
    convolution(inner, dim, 1);
    for (int direction = 0; direction < 2; ++direction) {
      convolution(1, inner, nn::kCausalTaps);
      convolution(inner, rank + 2 * config_.d_state, 1);
      convolution(rank, inner, 1);
      if (computed_) of_level_[level_] += tokens() * static_cast<double>(kOfState * inner * config_.d_state);
    }
  }
  void transformer_linears(std::int64_t channels, std::int64_t inner) {
    convolution(channels, inner, 1);
    convolution(inner, 8 * inner, 1);
    convolution(4 * inner, inner, 1);
    convolution(inner, channels, 1);
  }
  void attention(std::int64_t channels, double keys) {
    if (!computed_) return;
    of_level_[level_] += 4.0 * tokens() * keys * static_cast<double>(channels);
  }

  const UNetConfig& config_;
  double clips_;
  double frames_;
  double pixels_;
  std::size_t level_ = 0;
  std::vector<double> of_level_;
  double mamba_channels_ = 0;
  bool computed_ = true;
};

Counter count_pass(const UNetConfig& config, const LatentShape& shape, std::optional<std::int64_t> cut) {
  Counter count(config, shape);
  // A block of the encoder by its number, one of the decoder by that of the skip that it takes.
  const auto block = [&](std::size_t number) { count.computes(!cut || static_cast<std::int64_t>(number) <= *cut); };
  const auto transformers = [&](std::size_t level, std::int64_t channels) {
    if (!config.has_attention(level)) return;
    count.spatial_transformer(channels);
    count.temporal_transformer(channels, channels);
  };
  std::vector<std::int64_t> skips{config.dim};
  count.convolution(config.input_channels(), config.dim, 9);
  count.temporal_transformer(config.dim, config.num_heads * config.head_dim);
  std::int64_t channels = config.dim;
  for (std::size_t level = 0; level < config.dim_mult.size(); ++level) {
    count.enter(level);
    const std::int64_t out = config.dim * config.dim_mult[level];
    for (std::int64_t i = 0; i < config.num_res_blocks; ++i) {
      block(skips.size());
      count.residual_block(std::exchange(channels, out), out);
      transformers(level, out);
      skips.push_back(out);
    }
    if (level + 1 == config.dim_mult.size()) break;
    block(skips.size());
    count.halve();
    count.convolution(out, out, 9);
    skips.push_back(out);
  }
  block(skips.size());
  count.residual_block(channels, channels);
  count.spatial_transformer(channels);
  count.temporal_transformer(channels, channels);
  count.residual_block(channels, channels);
  for (std::size_t level = config.dim_mult.size(); level-- > 0;) {
    count.enter(level);
    const std::int64_t out = config.dim * config.dim_mult[level];
    for (std::int64_t i = 0; i <= config.num_res_blocks; ++i) {
      block(skips.size() - 1);
      count.residual_block(std::exchange(channels, out) + skips.back(), out);
      skips.pop_back();
      transformers(level, out);
    }
    if (level == 0) break;
    count.double_sides();
    count.convolution(out, out, 9);
  }
  count.convolution(channels, UNetConfig::kLatentChannels, 9);
  return count;
}

}  // namespace

std::vector<double> unet_level_operations(const UNetConfig& config, const LatentShape& shape,
                                          std::optional<std::int64_t> cut) {
  return count_pass(config, shape, cut).of_levels();
}

std::int64_t carried_state_bytes(const UNetConfig& config, const LatentShape& shape, std::int64_t element) {
  const std::int64_t of_channel =
      (nn::kCausalTaps - 1) * element + config.d_state * static_cast<std::int64_t>(sizeof(float));
  return static_cast<std::int64_t>(count_pass(config, shape, {}).mamba_channels()) * of_channel;
}

double unet_operations(const UNetConfig& config, const LatentShape& shape, std::optional<std::int64_t> cut) {
  const std::vector<double> of_level = unet_level_operations(config, shape, cut);
  return std::accumulate(of_level.begin(), of_level.end(), 0.0);
}

double unet_block_operations(const UNetConfig& config, const LatentShape& shape, std::size_t level) {
  const std::int64_t channels = config.dim * config.dim_mult[level];
  Counter count(config, shape);
  count.enter(level);
  if (config.has_attention(level)) {
    count.spatial_transformer(channels);
    count.temporal_transformer(channels, channels);
  }
  return count.of_levels()[level] + unet_residual_operations(config, shape, level);
}

double unet_residual_operations(const UNetConfig& config, const LatentShape& shape, std::size_t level) {
  const std::int64_t channels = config.dim * config.dim_mult[level];
  Counter count(config, shape);
  count.enter(level);
  count.residual_block(channels, channels);
  return count.of_levels()[level];
}

std::int64_t deep_feature_elements(const UNetConfig& config, const LatentShape& shape, std::int64_t cut) {
  const std::int64_t blocks_per_level = config.num_res_blocks + 1;
  // The block that they enter takes the skip of input block `cut`; the one before it has made them, and doubled their
  // sides where it was the last of its level.
  const std::int64_t level = cut / blocks_per_level;
  const auto made_at = static_cast<std::size_t>((cut + 1) / blocks_per_level);
  const std::int64_t shrunk = std::int64_t{1} << level;
  return shape.batch * (shape.frames + 1) * (shape.height / shrunk) * (shape.width / shrunk) * config.dim *
         config.dim_mult.at(made_at);
}

}  // namespace unianimate::models
