#include "unianimate/naming/clip_names.h"

#include <algorithm>
#include <array>

#include "unianimate/naming/name_pattern.h"

// After transformers' convert_clip_original_pytorch_to_hf.py and open_clip's convert_to_custom_text_state_dict.

namespace unianimate::naming {

namespace {

constexpr std::array<NameRule, 9> kTowers{{
    {"text_model.encoder.layers.#.", "transformer.resblocks.#."},
    {"text_model.embeddings.token_embedding.", "token_embedding."},
    {"text_model.embeddings.position_embedding.weight", "positional_embedding"},
    {"text_model.final_layer_norm.", "ln_final."},
    {"vision_model.encoder.layers.#.", "visual.transformer.resblocks.#."},
    {"vision_model.embeddings.class_embedding", "visual.class_embedding"},
    {"vision_model.embeddings.patch_embedding.", "visual.conv1."},
    {"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"},
    {"vision_model.post_layernorm.", "visual.ln_post."},
}};
/// The first is how transformers spells it.
constexpr std::array<NameRule, 2> kFirstNorm{
    {{"vision_model.pre_layrnorm.", "visual.ln_pre."}, {"vision_model.pre_layernorm.", "visual.ln_pre."}}};
/// Behind a layer.
constexpr std::array<NameRule, 5> kClipLayers{{{"self_attn.out_proj.", "attn.out_proj."},
                                               {"layer_norm1.", "ln_1."},
                                               {"layer_norm2.", "ln_2."},
                                               {"mlp.fc1.", "mlp.c_fc."},
                                               {"mlp.fc2.", "mlp.c_proj."}}};
/// In the order in which they are joined.
constexpr std::array<NameRule, 3> kAttention{{{"self_attn.q_proj.", "attn.in_proj_"},
                                              {"self_attn.k_proj.", "attn.in_proj_"},
                                              {"self_attn.v_proj.", "attn.in_proj_"}}};
constexpr std::array<NameRule, 2> kProjections{
    {{"text_projection.weight", "text_projection"}, {"visual_projection.weight", "visual.proj"}}};

}  // namespace

checkpoint::Placement place_transformers_clip(std::string_view name) {
  if (const auto projection = match_rule(kProjections, name)) {
    return {.name = projection->result(), .transposed = true};
  }
  if (const auto norm = match_rule(kFirstNorm, name)) return {.name = norm->result()};
  std::optional<RuleMatch> tower = match_rule(kTowers, name);
  if (!tower) return {.name = std::string(name)};
  if (tower->numbers.empty()) return {.name = tower->result()};
  checkpoint::Placement placement;
  std::string layer = apply_rules(kClipLayers, tower->rest);
  if (const auto part = match_rule(kAttention, tower->rest)) {
    layer = part->result();
    placement.part = static_cast<int>(part->rule - kAttention.data());
    placement.parts = static_cast<int>(kAttention.size());
  }
  tower->rest = layer;
  placement.name = tower->result();
  return placement;
}

checkpoint::Placement place_open_clip(std::string_view name) {
  constexpr std::string_view kText = "text.";
  return {.name = std::string(name.starts_with(kText) ? name.substr(kText.size()) : name)};
}

}  // namespace unianimate::naming
