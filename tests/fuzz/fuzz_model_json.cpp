// Any text as a model.json, as PEFT's adapter_config.json, and as the index of a checkpoint in several files.
#include <cmath>

#include "unianimate/checkpoint/shard_index.h"
#include "unianimate/core/error.h"
#include "unianimate/family/adapter_config.h"
#include "unianimate/family/unianimate/model_description.h"

namespace {

template <typename Action>
void refused_or_done(const Action& action) {
  try {
    action();
  } catch (const unianimate::Error&) {  // refused, as it should be
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unianimate;  // NOLINT(google-build-using-namespace)
  const std::string text(reinterpret_cast<const char*>(data), size);
  refused_or_done([&] {
    const family::ModelDescription description = family::parse_model_description(text, "fuzz");
    description.defaults.check();
    description.configs.unet.check();
    description.configs.autoencoder.check();
    description.configs.clip.check();
  });
  refused_or_done([&] {
    if (!std::isfinite(family::parse_adapter_config(text, "fuzz").scaling())) __builtin_trap();
  });
  refused_or_done([&] {
    for (const auto& [file, tensors] : checkpoint::read_shard_index({"fuzz", text})) {
      if (file.find('/') != std::string::npos || tensors.empty()) __builtin_trap();
    }
  });
  return 0;
}
