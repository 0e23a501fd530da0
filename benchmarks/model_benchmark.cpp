// Speed of the models at the published sizes, as a share of the best convolution and matrix rates measured in the same
// run. Needs libtorch alone. See usage().
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "operator_profile.h"
#include "stopwatch.h"
#include "unianimate/core/device.h"
#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/autoencoder/cost.h"
#include "unianimate/models/unet/cost.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::benchmarks {
namespace {

constexpr const char* kUsage = R"(usage: model_benchmark [--device cpu|cuda] [--dtype fp32|bf16|fp16] [--threads N]
                       [--size WxH] [--frames N] [--repeat N] [--profile] [unet] [autoencoder]

Times one call of the UNet on N frames (and the reference, which is one frame more) and the decoding of one frame, both
at the published sizes with random weights, beside the best dense convolution and matrix product.
Default: both models at 256x384, 7 frames, bf16 on the CPU.
)";

struct Options {
  Compute compute;
  int width = 256;
  int height = 384;
  int frames = 7;
  int repeat = 3;
  bool profile = false;
  bool unet = false;
  bool autoencoder = false;
  [[nodiscard]] at::TensorOptions tensors() const {
    return at::TensorOptions().device(compute.device).dtype(compute.dtype);
  }
};

/// Seconds of the fastest run after one that warms up: of at least `repeat` runs and a second's worth of them.
double best_seconds(const Options& options, const std::function<at::Tensor()>& work) {
  double best = 0;
  double total = 0;
  for (int run = 0; run <= options.repeat || total < 1.0; ++run) {
    const Stopwatch watch;
    work().flatten()[0].item<float>();  // on a GPU this waits for the result
    const double seconds = watch.seconds();
    if (run == 0) continue;
    total += seconds;
    if (best == 0 || seconds < best) best = seconds;
  }
  return best;
}

/// The faster of a 3×3 convolution and a matrix product of sizes the UNet has, in FLOP/s.
double ceiling(const Options& options) {
  const at::Tensor x = at::randn({9, 320, 48, 32}, options.tensors()).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor weight = at::randn({320, 320, 3, 3}, options.tensors()).contiguous(at::MemoryFormat::ChannelsLast);
  const double convolution = 2.0 * 9 * 48 * 32 * 320 * 320 * 9 / best_seconds(options, [&] {
                               return at::conv2d(x, weight, {}, {1, 1}, {1, 1});
                             });
  const at::Tensor a = at::randn({4096, 1280}, options.tensors());
  const at::Tensor b = at::randn({1280, 1280}, options.tensors());
  const double product = 2.0 * 4096 * 1280 * 1280 / best_seconds(options, [&] { return at::linear(a, b); });
  fmt::print("ceiling        convolution {:.3f} TFLOP/s, matrix product {:.3f} TFLOP/s ({}, {} threads)\n",
             convolution / 1e12, product / 1e12, dtype_name(options.compute.dtype), at::get_num_threads());
  return std::max(convolution, product);
}

void fill(const NamedTensors& parameters) {
  for (const auto& [name, tensor] : parameters) tensor.normal_(name.ends_with("bias") ? 0.0 : 0.01, 0.02);
}

void run(const Options& options, const char* name, double operations, double best_rate,
         const std::function<at::Tensor()>& work) {
  reset_peak_memory();
  const double seconds = best_seconds(options, work);
  fmt::print("{:<14} {:.3f} s, {:.2f} TFLOP, {:.3f} TFLOP/s = {:.0f} % of the ceiling, peak memory {}\n", name, seconds,
             operations / 1e12, operations / seconds / 1e12, 100 * operations / seconds / best_rate,
             format_bytes(peak_resident_bytes()));
  if (!options.profile) return;
  const std::vector<OperatorTime> times = profile_operators([&] { work(); });
  double in_operators = 0;
  for (const OperatorTime& time : times) in_operators += time.seconds;
  fmt::print("  {:>8.3f} s               own kernels and all else, next to {:.3f} s in ATen's operators:\n",
             seconds - in_operators, in_operators);
  for (std::size_t i = 0; i < std::min<std::size_t>(times.size(), 16); ++i) {
    fmt::print("  {:>8.3f} s {:>6} calls  {}\n", times[i].seconds, times[i].calls, times[i].name);
  }
}

void benchmark_unet(const Options& options, double best_rate) {
  const models::UNetConfig config;
  const models::UNet unet(config, options.tensors());
  fill(unet.named_parameters());
  const models::LatentShape shape{1, options.frames, options.height / 8, options.width / 8};
  models::UNetConditions conditions;
  conditions.image = at::randn({1, 1, config.context_dim});
  conditions.dwpose = at::rand({1, 3, 1 + shape.frames, options.height, options.width});
  conditions.randomref = at::randn({1, 4, 1, shape.height, shape.width});
  const models::EncodedConditions encoded = unet.encode(conditions, at::randn({1, 77, config.context_dim}), shape);
  const at::Tensor x = at::randn({1, 4, shape.frames, shape.height, shape.width}, options.compute.device);
  const at::Tensor timesteps = at::full({1}, 500, at::TensorOptions(at::kLong).device(options.compute.device));
  run(options, "UNet", models::unet_operations(config, shape), best_rate, [&] { return unet(x, timesteps, encoded); });
}

void benchmark_autoencoder(const Options& options, double best_rate) {
  const models::Autoencoder autoencoder({}, options.tensors());
  fill(autoencoder.named_parameters());
  const at::Tensor latent = at::randn({1, 4, options.height / 8, options.width / 8}, options.compute.device);
  run(options, "decode 1 frame", models::decoder_operations({}, options.height / 8, options.width / 8), best_rate,
      [&] { return autoencoder.decode(latent); });
}

Options parse(int argc, char** argv) {
  Options options;
  DeviceChoice device = DeviceChoice::kCpu;
  DTypeChoice dtype = DTypeChoice::kBFloat16;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto value = [&]() -> const char* {
      if (i + 1 == argc) throw Error(ErrorKind::kUsage, "{} needs a value", argument);
      return argv[++i];
    };
    if (argument == "--device") {
      device = parse_device(value());
    } else if (argument == "--dtype") {
      dtype = parse_dtype(value());
    } else if (argument == "--threads") {
      at::set_num_threads(std::atoi(value()));
    } else if (argument == "--size") {
      if (std::sscanf(value(), "%dx%d", &options.width, &options.height) != 2) {
        throw Error(ErrorKind::kUsage, "--size expects WxH");
      }
    } else if (argument == "--frames") {
      options.frames = std::atoi(value());
    } else if (argument == "--repeat") {
      options.repeat = std::max(1, std::atoi(value()));
    } else if (argument == "--profile") {
      options.profile = true;
    } else if (argument == "unet") {
      options.unet = true;
    } else if (argument == "autoencoder") {
      options.autoencoder = true;
    } else {
      throw Error(ErrorKind::kUsage, "unknown argument '{}'\n{}", argument, kUsage);
    }
  }
  if (!options.unet && !options.autoencoder) options.unet = options.autoencoder = true;
  load_cuda_libraries(device);
  options.compute = choose_compute(device, dtype);
  return options;
}

}  // namespace
}  // namespace unianimate::benchmarks

int main(int argc, char** argv) {
  using namespace unianimate::benchmarks;
  try {
    const Options options = parse(argc, argv);
    const c10::InferenceMode inference;
    const double best_rate = ceiling(options);
    if (options.unet) benchmark_unet(options, best_rate);
    if (options.autoencoder) benchmark_autoencoder(options, best_rate);
  } catch (const std::exception& error) {
    fmt::print(stderr, "model_benchmark: {}\n", error.what());
    return 1;
  }
  return 0;
}
