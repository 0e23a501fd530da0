#include "unianimate/naming/lora_names.h"

#include <algorithm>
#include <array>

// After ComfyUI's comfy/lora.py and weight_adapter/lora.py, which read what the others write.

namespace unianimate::naming {

namespace {

constexpr std::string_view kWeight = ".weight";

struct Ending {
  std::string_view text;
  LoraPart part;
  std::string_view layer_ending;  ///< what stands in its place in the layer's name
  bool peft = false;
};

constexpr std::array<Ending, 25> kEndings{{
    {".processor.to_q_lora.down.weight", LoraPart::kDown, ".to_q"},
    {".processor.to_q_lora.up.weight", LoraPart::kUp, ".to_q"},
    {".processor.to_k_lora.down.weight", LoraPart::kDown, ".to_k"},
    {".processor.to_k_lora.up.weight", LoraPart::kUp, ".to_k"},
    {".processor.to_v_lora.down.weight", LoraPart::kDown, ".to_v"},
    {".processor.to_v_lora.up.weight", LoraPart::kUp, ".to_v"},
    {".processor.to_out_lora.down.weight", LoraPart::kDown, ".to_out.0"},
    {".processor.to_out_lora.up.weight", LoraPart::kUp, ".to_out.0"},
    {".to_out_lora.down.weight", LoraPart::kDown, ".to_out.0"},
    {".to_out_lora.up.weight", LoraPart::kUp, ".to_out.0"},
    {".lora_linear_layer.down.weight", LoraPart::kDown, ""},
    {".lora_linear_layer.up.weight", LoraPart::kUp, ""},
    {".lora.down.weight", LoraPart::kDown, ""},
    {".lora.up.weight", LoraPart::kUp, ""},
    {"_lora.down.weight", LoraPart::kDown, ""},
    {"_lora.up.weight", LoraPart::kUp, ""},
    {".lora_down.weight", LoraPart::kDown, ""},
    {".lora_up.weight", LoraPart::kUp, ""},
    {".lora_down", LoraPart::kDown, ""},
    {".lora_up", LoraPart::kUp, ""},
    {".lora_A.weight", LoraPart::kDown, "", true},
    {".lora_B.weight", LoraPart::kUp, "", true},
    {".lora_A", LoraPart::kDown, "", true},
    {".lora_B", LoraPart::kUp, "", true},
    {".alpha", LoraPart::kAlpha, ""},
}};

/// Behind these PEFT has the name that its user gave the correction, "default" unless told otherwise.
constexpr std::array<Ending, 2> kNamedEndings{{
    {".lora_A.", LoraPart::kDown, "", true},
    {".lora_B.", LoraPart::kUp, "", true},
}};

/// What programs put before a layer's name, any number of them.
constexpr std::array<std::string_view, 7> kPrefixes{
    "base_model.model.", "module.", "_orig_mod.", "diffusion_model.", "model.", "unet.", "state_dict."};
constexpr std::array<std::string_view, 3> kFlattenedPrefixes{"lora_unet_", "lora_prior_unet_", "lycoris_"};

struct ForeignCorrection {
  std::string_view part_of_name;
  std::string_view sentence;
  bool at_the_end = false;
};

constexpr std::array<ForeignCorrection, 14> kForeign{{
    {".dora_scale", "DoRA, which also scales each row"},
    {".lora_magnitude_vector", "DoRA, which also scales each row"},
    {".hada_w", "LoHa, a product of two corrections"},
    {".lokr_w", "LoKr, a Kronecker product"},
    {".lokr_t", "LoKr, a Kronecker product"},
    {".lora_mid.", "LoCon with a middle part (CP decomposition)"},
    {".oft_", "OFT, which turns weights"},
    {".boft_", "BOFT, which turns weights"},
    {".glora_", "GLoRA"},
    {".diff", "a full difference of a weight", true},
    {".diff_b", "a full difference of a bias", true},
    {".reshape_weight", "a LoRA for weights of another shape"},
    {".lora_embedding_", "PEFT's LoRA of an embedding"},
    {".modules_to_save.", "PEFT's whole layers beside a LoRA"},
}};
/// Beginnings of names of a text encoder's layers.
constexpr std::array<std::string_view, 4> kTextEncoders{"lora_te", "lora_prior_te", "text_encoder", "text_model."};

/// `tensor` with the user's name for the correction taken out: ".lora_A.default.weight" -> ".lora_A.weight".
std::string without_adapter_name(std::string_view tensor) {
  if (tensor.ends_with(kWeight)) {
    const std::string_view body = tensor.substr(0, tensor.size() - kWeight.size());
    const std::size_t dot = body.rfind('.');
    for (const Ending& named : kNamedEndings) {
      if (dot != std::string_view::npos && body.substr(0, dot + 1).ends_with(named.text)) {
        return std::string(body.substr(0, dot)).append(kWeight);
      }
    }
  }
  return std::string(tensor);
}

bool strip_one(std::string_view& name, const auto& prefixes) {
  const auto* const found =
      std::ranges::find_if(prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
  if (found == prefixes.end()) return false;
  name.remove_prefix(found->size());
  return true;
}

std::string flatten(std::string name) {
  std::ranges::replace(name, '.', '_');
  return name;
}

}  // namespace

std::optional<LoraName> parse_lora_name(std::string_view tensor) {
  const std::string plain = without_adapter_name(tensor);
  const auto* const ending =
      std::ranges::find_if(kEndings, [&](const Ending& candidate) { return plain.ends_with(candidate.text); });
  if (ending == kEndings.end()) return std::nullopt;
  std::string_view layer = std::string_view(plain).substr(0, plain.size() - ending->text.size());
  while (strip_one(layer, kPrefixes)) {
  }
  LoraName name{.part = ending->part, .peft = ending->peft};
  name.flattened = strip_one(layer, kFlattenedPrefixes);
  name.layer = std::string(layer).append(ending->layer_ending);
  return name;
}

std::string_view foreign_correction(std::string_view tensor) {
  const auto starts = [&](std::string_view prefix) { return tensor.starts_with(prefix); };
  if (std::ranges::any_of(kTextEncoders, starts)) return "a text encoder's LoRA, and only the UNet is corrected here";
  const auto* const found = std::ranges::find_if(kForeign, [&](const ForeignCorrection& foreign) {
    return foreign.at_the_end ? tensor.ends_with(foreign.part_of_name)
                              : tensor.find(foreign.part_of_name) != std::string_view::npos;
  });
  return found == kForeign.end() ? std::string_view() : found->sentence;
}

LayerNames::LayerNames(const std::vector<std::string>& weights) {
  for (const std::string& weight : weights) {
    const std::string layer = weight.substr(0, weight.size() - kWeight.size());
    weights_[layer].push_back(weight);
    flattened_[flatten(layer)].push_back(weight);
  }
}

std::optional<std::string> LayerNames::find(const LoraName& name) const {
  const auto& layers = name.flattened ? flattened_ : weights_;
  const auto found = layers.find(name.layer);
  return found == layers.end() || found->second.size() != 1 ? std::nullopt : std::optional(found->second.front());
}

}  // namespace unianimate::naming
