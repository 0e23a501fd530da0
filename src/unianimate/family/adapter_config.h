// PEFT's configuration of a LoRA, which holds what its tensors do not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace unianimate::family {

struct AdapterConfig {
  double alpha = 0;
  std::int64_t rank = 0;
  bool rank_stabilized = false;
  std::string place = {};  ///< where it stands, for people: "the adapter_config.json beside it"

  /// By what the product of the two matrices is multiplied: alpha / rank, or alpha / √rank where it is stabilised.
  [[nodiscard]] double scaling() const;
};

/// Reads {"peft_type": "LORA", "r": …, "lora_alpha": …, …}; `name` stands for the file in messages. Throws
/// Error(kInput) for anything else, and for what makes the correction another one: DoRA, turned weights, ranks or
/// alphas of their own for some layers, a start that changed the weights it is added to (PiSSA, OLoRA, CorDA, LoftQ).
AdapterConfig parse_adapter_config(std::string_view text, std::string_view name);

/// What goes for the LoRA file `lora` with these safetensors metadata: what diffusers writes into them
/// (lora_adapter_metadata, whose keys begin with "unet." where a pipeline was saved), or adapter_config.json beside a
/// file called adapter_model, as PEFT calls it; empty where there is neither. Throws as parse_adapter_config(), and
/// where the two contradict each other.
std::optional<AdapterConfig> find_adapter_config(const std::map<std::string, std::string>& metadata,
                                                 const std::filesystem::path& lora);

}  // namespace unianimate::family
