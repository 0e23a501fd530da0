#include "unianimate/models/autoencoder/config.h"

#include <cmath>

#include "unianimate/core/error.h"
#include "unianimate/models/config_check.h"

namespace unianimate::models {

namespace {

constexpr const char* kAutoencoderModel = "autoencoder";

}  // namespace

void AutoencoderConfig::check() const {
  const ConfigCheck require{"autoencoder"};
  constexpr std::int64_t kLargest = 1 << 16;
  const auto in_range = [](std::int64_t value) { return value >= 1 && value <= kLargest; };
  require(in_range(ch), "ch", "between 1 and 65536", ch);
  require(!ch_mult.empty() && ch_mult.size() <= 8, "ch_mult", "a list of 1 to 8 numbers, its length",
          static_cast<std::int64_t>(ch_mult.size()));
  require(in_range(num_res_blocks) && num_res_blocks <= 16, "num_res_blocks", "between 1 and 16", num_res_blocks);
  require(in_range(z_channels), "z_channels", "between 1 and 65536", z_channels);
  require(in_range(norm_groups), "norm_groups", "between 1 and 65536", norm_groups);
  require(ch % norm_groups == 0, "ch", "a multiple of norm_groups", ch);
  for (const std::int64_t mult : ch_mult) {
    require(in_range(mult) && in_range(ch * mult), "ch_mult", "at least 1 and ch times it at most 65536", mult);
  }
  if (!std::isfinite(scale_factor) || scale_factor <= 0) {
    throw Error(ErrorKind::kUsage, "autoencoder.scale_factor must be a positive number, found {}", scale_factor);
  }
}

AutoencoderConfig autoencoder_config_from_shapes(const Shapes& shapes, const AutoencoderConfig& assumed) {
  AutoencoderConfig config = assumed;
  config.ch = size_of(shapes, kAutoencoderModel, "encoder.conv_in.weight", 0);
  config.z_channels = size_of(shapes, kAutoencoderModel, "post_quant_conv.weight", 0);
  config.num_res_blocks = require_positive(count_blocks(shapes, "encoder.down.0.block."), kAutoencoderModel,
                                           "the number of residual blocks");
  config.ch_mult.clear();
  for (std::int64_t level = 0; level < count_blocks(shapes, "encoder.down."); ++level) {
    const std::int64_t width =
        size_of(shapes, kAutoencoderModel, fmt::format("encoder.down.{}.block.0.conv1.weight", level), 0);
    config.ch_mult.push_back(require_positive(width / config.ch, kAutoencoderModel, "the widening of a level"));
  }
  return config;
}

}  // namespace unianimate::models
