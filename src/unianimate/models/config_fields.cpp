#include "unianimate/models/config_fields.h"

namespace unianimate::models {

namespace {

constexpr fields::Range kSize = fields::range(1, 1 << 24);

}  // namespace

void visit(fields::Archive& archive, UNetConfig& config) {
  archive("dim", config.dim, kSize);
  archive("head_dim", config.head_dim, kSize);
  archive("context_dim", config.context_dim, kSize);
  archive("dim_mult", config.dim_mult, kSize);
  archive("num_res_blocks", config.num_res_blocks, kSize);
  archive("num_heads", config.num_heads, kSize);
  archive("num_tokens", config.num_tokens, kSize);
  archive("concat_dim", config.concat_dim, kSize);
  archive("norm_groups", config.norm_groups, kSize);
  archive("temporal", config.temporal);
  archive("d_state", config.d_state, kSize);
  archive("expand", config.expand, kSize);
}

void visit(fields::Archive& archive, AutoencoderConfig& config) {
  archive("ch", config.ch, kSize);
  archive("ch_mult", config.ch_mult, kSize);
  archive("num_res_blocks", config.num_res_blocks, kSize);
  archive("z_channels", config.z_channels, kSize);
  archive("norm_groups", config.norm_groups, kSize);
  archive("scale_factor", config.scale_factor);
}

void visit(fields::Archive& archive, ClipConfig::Vision& config) {
  archive("width", config.width, kSize);
  archive("layers", config.layers, kSize);
  archive("heads", config.heads, kSize);
  archive("mlp_ratio", config.mlp_ratio, kSize);
  archive("image_size", config.image_size, kSize);
  archive("patch_size", config.patch_size, kSize);
}

void visit(fields::Archive& archive, ClipConfig::Text& config) {
  archive("width", config.width, kSize);
  archive("layers", config.layers, kSize);
  archive("heads", config.heads, kSize);
  archive("context_length", config.context_length, kSize);
  archive("vocab_size", config.vocab_size, kSize);
}

void visit(fields::Archive& archive, ClipConfig& config) {
  archive("embed_dim", config.embed_dim, kSize);
  archive.section("vision", config.vision);
  archive.section("text", config.text);
}

}  // namespace unianimate::models
