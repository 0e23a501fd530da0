#include "unianimate/models/clip/config.h"

#include <cmath>

#include "unianimate/core/error.h"
#include "unianimate/models/config_check.h"

namespace unianimate::models {

namespace {

constexpr const char* kClipModel = "OpenCLIP model";

void require_in_range(const char* field, std::int64_t value, std::int64_t largest = 1 << 16) {
  if (value < 1 || value > largest) {
    throw Error(ErrorKind::kUsage, "clip.{} must be between 1 and {}, found {}", field, largest, value);
  }
}

}  // namespace

void ClipConfig::check() const {
  const ConfigCheck require{"clip"};
  require_in_range("embed_dim", embed_dim);
  require_in_range("vision.width", vision.width);
  require_in_range("vision.layers", vision.layers, 256);
  require_in_range("vision.heads", vision.heads);
  require_in_range("vision.mlp_ratio", vision.mlp_ratio, 64);
  require_in_range("vision.image_size", vision.image_size, 4096);
  require_in_range("vision.patch_size", vision.patch_size, 4096);
  require_in_range("text.width", text.width);
  require_in_range("text.layers", text.layers, 256);
  require_in_range("text.heads", text.heads);
  require_in_range("text.context_length", text.context_length);
  require_in_range("text.vocab_size", text.vocab_size, 1 << 24);
  require(text.vocab_size >= 3, "text.vocab_size", "at least 3, for the marks of the empty prompt and the padding",
          text.vocab_size);
  require(vision.width % vision.heads == 0, "vision.heads", "a divisor of vision.width", vision.heads);
  require(text.width % text.heads == 0, "text.heads", "a divisor of text.width", text.heads);
  require(vision.image_size % vision.patch_size == 0, "vision.image_size", "a multiple of vision.patch_size",
          vision.image_size);
  require(text.context_length >= 2, "text.context_length", "at least 2", text.context_length);
}

ClipConfig clip_config_from_shapes(const Shapes& shapes, const ClipConfig& assumed) {
  ClipConfig config = assumed;
  config.embed_dim = size_of(shapes, kClipModel, "visual.proj", 1);
  config.vision.width = size_of(shapes, kClipModel, "visual.conv1.weight", 0);
  config.vision.patch_size = size_of(shapes, kClipModel, "visual.conv1.weight", 2);
  config.vision.layers = require_positive(count_blocks(shapes, "visual.transformer.resblocks."), kClipModel,
                                          "the number of visual layers");
  config.vision.mlp_ratio =
      size_of(shapes, kClipModel, "visual.transformer.resblocks.0.mlp.c_fc.weight", 0) / config.vision.width;
  const std::int64_t patches = size_of(shapes, kClipModel, "visual.positional_embedding", 0) - 1;
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(patches))));
  config.vision.image_size = side * config.vision.patch_size;
  config.text.width = size_of(shapes, kClipModel, "token_embedding.weight", 1);
  config.text.vocab_size = size_of(shapes, kClipModel, "token_embedding.weight", 0);
  config.text.context_length = size_of(shapes, kClipModel, "positional_embedding", 0);
  config.text.layers =
      require_positive(count_blocks(shapes, "transformer.resblocks."), kClipModel, "the number of text layers");
  return config;
}

}  // namespace unianimate::models
