// Any bytes as a LoRA file, for a model of a few layers.
#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/error.h"
#include "unianimate/family/lora.h"
#include "unianimate/naming/lora_names.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unianimate;  // NOLINT(google-build-using-namespace)
  static const NamedTensors kUNet{
      {"input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight", at::empty({6, 5}, at::kMeta)},
      {"input_blocks.1.1.transformer_blocks.0.attn1.to_out.0.weight", at::empty({6, 5}, at::kMeta)},
      {"middle_block.2.proj_in.weight", at::empty({6, 5, 1}, at::kMeta)}};
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(naming::parse_lora_name(bytes));
  try {
    checkpoint::Checkpoint file(std::make_shared<const checkpoint::CheckpointFile>("fuzz", bytes));
    family::LoraSettings settings;
    settings.config = family::find_adapter_config(file.metadata(), "fuzz");
    if (family::check_lora(std::move(file), settings, kUNet).empty()) __builtin_trap();
  } catch (const Error&) {  // refused, as it should be
  }
  return 0;
}
