#include "unianimate/models/unet/config.h"

#include "unianimate/core/error.h"
#include "unianimate/models/config_check.h"

namespace unianimate::models {

namespace {

constexpr const char* kUNetModel = "UNet";
constexpr const char* kFirstTemporal = "input_blocks.0.1.";

/// Output channels of the residual blocks of input_blocks, in order; 0 for a Downsample.
std::vector<std::int64_t> encoder_widths(const Shapes& shapes) {
  std::vector<std::int64_t> widths;
  const std::int64_t blocks = count_blocks(shapes, "input_blocks.");
  for (std::int64_t i = 1; i < blocks; ++i) {
    const std::string weight = fmt::format("input_blocks.{}.0.in_layers.2.weight", i);
    widths.push_back(shapes.contains(weight) ? size_of(shapes, kUNetModel, weight, 0) : 0);
  }
  return widths;
}

}  // namespace

void UNetConfig::check() const {
  const ConfigCheck require{"unet"};
  constexpr std::int64_t kLargest = 1 << 16;
  const auto in_range = [](std::int64_t value) { return value >= 1 && value <= kLargest; };
  require(in_range(dim) && dim % 2 == 0, "dim", "even and between 2 and 65536", dim);
  require(in_range(num_res_blocks) && num_res_blocks <= 16, "num_res_blocks", "between 1 and 16", num_res_blocks);
  require(in_range(head_dim), "head_dim", "between 1 and 65536", head_dim);
  require(in_range(num_heads), "num_heads", "between 1 and 65536", num_heads);
  require(in_range(context_dim), "context_dim", "between 1 and 65536", context_dim);
  require(in_range(num_tokens), "num_tokens", "between 1 and 65536", num_tokens);
  require(in_range(concat_dim), "concat_dim", "between 1 and 65536", concat_dim);
  require(in_range(d_state) && d_state <= 256, "d_state", "between 1 and 256", d_state);
  require(in_range(expand) && expand <= 16, "expand", "between 1 and 16", expand);
  require(!dim_mult.empty() && dim_mult.size() <= 8, "dim_mult", "a list of 1 to 8 numbers, its length",
          static_cast<std::int64_t>(dim_mult.size()));
  require(in_range(norm_groups), "norm_groups", "between 1 and 65536", norm_groups);
  require(dim % norm_groups == 0, "dim", "a multiple of norm_groups", dim);
  for (std::size_t level = 0; level < dim_mult.size(); ++level) {
    const std::int64_t width = dim * dim_mult[level];
    require(in_range(dim_mult[level]) && in_range(width), "dim_mult", "at least 1 and dim times it at most 65536",
            dim_mult[level]);
    require(!has_attention(level) || width % head_dim == 0, "head_dim", "a divisor of the channels of every level",
            head_dim);
  }
}

UNetConfig unet_config_from_shapes(const Shapes& shapes, const UNetConfig& assumed) {
  UNetConfig config = assumed;
  config.dim = size_of(shapes, kUNetModel, "time_embed.0.weight", 1);
  config.context_dim = size_of(shapes, kUNetModel, "pre_image_condition.0.weight", 1);
  config.num_tokens =
      require_positive(size_of(shapes, kUNetModel, "pre_image_condition.2.weight", 0) / config.context_dim, kUNetModel,
                       "the number of tokens");
  config.concat_dim = size_of(shapes, kUNetModel, "dwpose_embedding.5.weight", 0);

  config.dim_mult.clear();
  std::int64_t blocks_in_level = 0;
  std::int64_t blocks_in_first_level = 0;
  std::int64_t width = 0;
  const auto end_level = [&] {
    config.dim_mult.push_back(width / config.dim);
    if (blocks_in_first_level == 0) blocks_in_first_level = blocks_in_level;
    blocks_in_level = 0;
  };
  for (const std::int64_t block_width : encoder_widths(shapes)) {
    if (block_width == 0) {
      end_level();
    } else {
      width = block_width;
      ++blocks_in_level;
    }
  }
  end_level();
  config.num_res_blocks = blocks_in_first_level;

  const std::string decays = std::string(kFirstTemporal) + "transformer_blocks.0.mamba.A_log";
  config.temporal = shapes.contains(decays) ? TemporalKind::kMamba : TemporalKind::kTransformer;
  if (config.temporal == TemporalKind::kMamba) {
    config.d_state = size_of(shapes, kUNetModel, decays, 1);
    config.expand = require_positive(size_of(shapes, kUNetModel, decays, 0) /
                                         size_of(shapes, kUNetModel, std::string(kFirstTemporal) + "proj_in.weight", 0),
                                     kUNetModel, "the width of the temporal Mamba");
  }

  // The shapes tell only heads times their size; whichever of the two is assumed other than published gives the other.
  const std::int64_t inner = size_of(shapes, kUNetModel, std::string(kFirstTemporal) + "proj_in.weight", 0);
  const auto divides = [&](std::int64_t x) { return x > 0 && inner % x == 0; };
  if (divides(assumed.head_dim) && inner / assumed.head_dim == assumed.num_heads) return config;
  if (divides(assumed.head_dim) && assumed.head_dim != UNetConfig().head_dim) {
    config.num_heads = inner / assumed.head_dim;
  } else if (divides(assumed.num_heads)) {
    config.head_dim = inner / assumed.num_heads;
  } else {
    throw Error(ErrorKind::kInput,
                "this is not a usable checkpoint of the UNet: input_blocks.0.1.proj_in.weight has {} rows, expected a "
                "multiple of num_heads {}",
                inner, assumed.num_heads);
  }
  return config;
}

}  // namespace unianimate::models
