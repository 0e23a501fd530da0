#include "unianimate/models/clip/cost.h"

namespace unianimate::models {

double clip_block_operations(std::int64_t tokens, std::int64_t width, std::int64_t mlp_ratio) {
  const auto rows = static_cast<double>(tokens);
  const auto channels = static_cast<double>(width);
  const double linears = 2 * rows * channels * channels * static_cast<double>(4 + 2 * mlp_ratio);
  return linears + 4 * rows * rows * channels;
}

std::int64_t clip_visual_tokens(const ClipConfig& config) {
  const std::int64_t side = config.vision.image_size / config.vision.patch_size;
  return side * side + 1;
}

double clip_visual_operations(const ClipConfig& config) {
  constexpr std::int64_t kColors = 3;
  const ClipConfig::Vision& vision = config.vision;
  const std::int64_t tokens = clip_visual_tokens(config);
  const std::int64_t patch = kColors * vision.patch_size * vision.patch_size;
  return 2.0 * static_cast<double>((tokens - 1) * patch + config.embed_dim) * static_cast<double>(vision.width) +
         static_cast<double>(vision.layers) * clip_block_operations(tokens, vision.width, vision.mlp_ratio);
}

double clip_text_operations(const ClipConfig& config) {
  const ClipConfig::Text& text = config.text;
  return static_cast<double>(text.layers - 1) *
         clip_block_operations(text.context_length, text.width, ClipConfig::Text::kMlpRatio);
}

}  // namespace unianimate::models
