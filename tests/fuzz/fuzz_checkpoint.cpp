// Any bytes as a checkpoint file, of whatever container they look like, and the tensors it then holds.
#include "unianimate/checkpoint/loading.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unianimate::checkpoint;
  try {
    const Checkpoint checkpoint(
        std::make_shared<const CheckpointFile>("fuzz", std::string(reinterpret_cast<const char*>(data), size)));
    for (const TensorEntry& entry : checkpoint.tensors()) materialize(checkpoint, entry);
  } catch (const unianimate::Error&) {  // refused, as it should be
  }
  return 0;
}
