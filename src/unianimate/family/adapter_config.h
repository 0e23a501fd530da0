// The file that PEFT writes beside a LoRA, which holds what the LoRA itself does not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace unianimate::family {

struct AdapterConfig {
  double alpha = 0;
  std::int64_t rank = 0;
  bool rank_stabilized = false;

  /// By what the product of the two matrices is multiplied: alpha / rank, or alpha / √rank where it is stabilised.
  [[nodiscard]] double scaling() const;
};

/// Reads {"peft_type": "LORA", "r": …, "lora_alpha": …, …}; `name` stands for the file in messages. Throws
/// Error(kInput) for anything else, and for what makes the correction another one: DoRA, turned weights, ranks or
/// alphas of their own for some layers, a start that changed the weights it is added to (PiSSA, OLoRA, CorDA, LoftQ).
AdapterConfig parse_adapter_config(std::string_view text, std::string_view name);

/// That of the LoRA file `lora`, adapter_config.json beside it; empty unless the LoRA is called adapter_model, as PEFT
/// calls it, and the file is there.
std::optional<AdapterConfig> find_adapter_config(const std::filesystem::path& lora);

}  // namespace unianimate::family
