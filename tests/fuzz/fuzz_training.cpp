// Any text as the configuration of a training, and any bytes as what it has saved.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "unianimate/core/error.h"
#include "unianimate/training/train_config.h"
#include "unianimate/training/training_state.h"

namespace {

namespace fs = std::filesystem;
using namespace unianimate::training;  // NOLINT(google-build-using-namespace)

void read_config(std::string_view text) {
  const TrainConfig config = parse_train_config(text, "fuzz", "/root");
  if (config.output.empty() || config.steps < 1 || config.batch_size < 1 || config.microbatches < 1) __builtin_trap();
}

void read_state(std::string_view bytes) {
  static const fs::path file = [] {
    std::string pattern = (fs::temp_directory_path() / "unianimate-fuzz-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    return fs::path(pattern) / "state.safetensors";
  }();
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const unianimate::NamedTensors optimizer{{"w", at::empty({2})}};
  const TrainingProgress progress = load_training_state(file, "seed: 1\n", optimizer);
  if (progress.step < 0 || progress.summed_steps < 0) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (void (*read)(std::string_view) : {read_config, read_state}) {
    try {
      read(input);
    } catch (const unianimate::Error&) {  // refused, as it should be
    }
  }
  return 0;
}
