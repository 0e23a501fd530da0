// The tensors of low-rank corrections (LoRA) as the programs that train them name them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unianimate::naming {

enum class LoraPart : std::uint8_t { kDown, kUp, kAlpha };

/// What a tensor's name says.
struct LoraName {
  LoraPart part = LoraPart::kDown;
  std::string layer = {};  ///< of the model, without prefixes and without ".weight"
  bool flattened = false;  ///< whether the dots of `layer` have become underscores, as kohya's programs write it
  bool peft = false;       ///< whether it is spelled as PEFT does, which keeps alpha in another file

  bool operator==(const LoraName&) const = default;
};

/// Reads the names of kohya's programs ("lora_unet_A_B.lora_down.weight"), ComfyUI and diffusers
/// ("diffusion_model.A.B.lora_A.weight", "unet.A.B.lora.up.weight", "A.attn1.processor.to_q_lora.down.weight") and PEFT
/// ("base_model.model.A.B.lora_A.default.weight"); empty for what is no part of a LoRA.
std::optional<LoraName> parse_lora_name(std::string_view tensor);

/// A sentence about a tensor that another kind of correction has, of which these two matrices alone would be something
/// else; empty for any other.
std::string_view foreign_correction(std::string_view tensor);

/// The layers of a model by their names and by their flattened ones.
class LayerNames {
 public:
  /// `weights`: names of parameters that end with ".weight".
  explicit LayerNames(const std::vector<std::string>& weights);
  /// The parameter that `name` corrects; empty where there is none, or more than one of that flattened name.
  [[nodiscard]] std::optional<std::string> find(const LoraName& name) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> weights_;
  std::map<std::string, std::vector<std::string>, std::less<>> flattened_;
};

}  // namespace unianimate::naming
