// Any bytes as a safetensors file.
#include "unianimate/checkpoint/safetensors_reader.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unianimate::checkpoint;
  const CheckpointFile file("fuzz", std::string(reinterpret_cast<const char*>(data), size));
  try {
    const CheckpointContent content = read_safetensors(file);
    for (const TensorEntry& entry : content.tensors) {
      const StorageRange& storage = content.storages[entry.storage];
      const auto elements = static_cast<std::int64_t>(storage.size) / element_size(entry.type);
      if (!fits_storage(entry, elements) || storage.begin + storage.size > size) __builtin_trap();
    }
  } catch (const unianimate::Error&) {  // refused, as it should be
  }
  return 0;
}
