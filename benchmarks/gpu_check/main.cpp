// What scripts/gpu_check.sh runs beside the tests. See kUsage.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <string_view>

#include "gpu_check/setup.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"

namespace unianimate::benchmarks {
namespace {

constexpr const char* kUsage =
    R"(usage: gpu_check PART --output FOLDER [--device cpu|cuda] [--tiny] [--models FOLDER] [--seconds N]

  device   what computes; fails where a card or this program's kernels for it cannot be used
  bench    one call of the UNet and the decoder, beside the best rates of the same device
  clip     whole videos with random weights
  profile  the kernels of one call of the UNet, with and without this program's own
  train    N seconds of training (60), which go on where the last ones in FOLDER ended, from the model in --models
  report   FOLDER/gpu_check.json and gpu_check.md, of all that FOLDER holds

--tiny takes small models and pictures, to try everything out on a CPU. Default: --device cuda.
)";

struct Part {
  std::string_view name;
  void (*run)(const Setup&);
};

constexpr std::array kParts{Part{"device", try_device},   Part{"bench", bench_models},
                            Part{"clip", bench_clips},    Part{"profile", profile_kernels},
                            Part{"train", train_a_piece}, Part{"report", write_report}};

double number(std::string_view text) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorKind::kUsage, "--seconds expects a number, found '{}'", printable(text));
  }
  return value;
}

void run(int argc, char** argv) {
  Setup setup;
  const Part* part = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto value = [&]() -> const char* {
      if (i + 1 == argc) throw Error(ErrorKind::kUsage, "{} needs a value", argument);
      return argv[++i];
    };
    if (argument == "--output") {
      setup.output = value();
    } else if (argument == "--device") {
      setup.device = parse_device(value());
    } else if (argument == "--models") {
      setup.models = value();
    } else if (argument == "--seconds") {
      setup.seconds = number(value());
    } else if (argument == "--tiny") {
      setup.tiny = true;
    } else {
      const auto found = std::ranges::find(kParts, argument, &Part::name);
      if (found == kParts.end()) throw Error(ErrorKind::kUsage, "unknown argument '{}'\n{}", argument, kUsage);
      part = &*found;
    }
  }
  if (part == nullptr || setup.output.empty())
    throw Error(ErrorKind::kUsage, "a part and --output are needed\n{}", kUsage);
  make_folder(setup.output);
  if (part->run != write_report) load_cuda_libraries(setup.device);
  part->run(setup);
}

}  // namespace
}  // namespace unianimate::benchmarks

int main(int argc, char** argv) {
  try {
    unianimate::benchmarks::run(argc, argv);
  } catch (const unianimate::Error& error) {
    std::fprintf(stderr, "gpu_check: %s\n", error.what());
    return error.kind() == unianimate::ErrorKind::kUsage ? 2 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_check: %s\n", error.what());
    return 1;
  }
  return 0;
}
