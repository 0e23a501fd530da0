#include "unianimate/naming/autoencoder_names.h"

#include <array>

#include "unianimate/naming/name_pattern.h"

// After diffusers' scripts/convert_diffusers_to_original_stable_diffusion.py.

namespace unianimate::naming {

namespace {

/// Behind "encoder." or "decoder.".
constexpr std::array<NameRule, 8> kBlocks{{{"down_blocks.#.resnets.#.", "down.#.block.#."},
                                           {"down_blocks.#.downsamplers.0.", "down.#.downsample."},
                                           {"up_blocks.#.resnets.#.", "up.#.block.#."},
                                           {"up_blocks.#.upsamplers.0.", "up.#.upsample."},
                                           {"mid_block.resnets.0.", "mid.block_1."},
                                           {"mid_block.resnets.1.", "mid.block_2."},
                                           {"mid_block.attentions.0.", "mid.attn_1."},
                                           {"conv_norm_out.", "norm_out."}}};
/// Behind a block.
constexpr std::array<NameRule, 10> kAutoencoderLayers{{{"conv_shortcut.", "nin_shortcut."},
                                                       {"group_norm.", "norm."},
                                                       {"to_q.", "q."},
                                                       {"to_k.", "k."},
                                                       {"to_v.", "v."},
                                                       {"to_out.0.", "proj_out."},
                                                       {"query.", "q."},
                                                       {"key.", "k."},
                                                       {"value.", "v."},
                                                       {"proj_attn.", "proj_out."}}};

}  // namespace

checkpoint::Placement place_diffusers_autoencoder(std::string_view name, std::int64_t levels) {
  constexpr std::string_view kEncoder = "encoder.";
  constexpr std::string_view kDecoder = "decoder.";
  const bool decoder = name.starts_with(kDecoder);
  if (!decoder && !name.starts_with(kEncoder)) return {.name = std::string(name), .pointwise = true};
  const std::string_view side = decoder ? kDecoder : kEncoder;
  std::optional<RuleMatch> block = match_rule(kBlocks, name.substr(side.size()));
  if (!block) return {.name = std::string(name)};
  if (block->rule->from.starts_with("up_blocks.")) block->numbers[0] = levels - 1 - block->numbers[0];
  const std::string layer = apply_rules(kAutoencoderLayers, block->rest);
  block->rest = layer;
  return {.name = std::string(side) + block->result(), .pointwise = true};
}

}  // namespace unianimate::naming
