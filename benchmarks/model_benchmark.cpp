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

#include "model_speed.h"
#include "operator_profile.h"
#include "stopwatch.h"
#include "unianimate/core/device.h"
#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"

namespace unianimate::benchmarks {
namespace {

constexpr const char* kUsage = R"(usage: model_benchmark [--device cpu|cuda] [--dtype fp32|bf16|fp16|int8] [--threads N]
                       [--size WxH] [--frames N] [--repeat N] [--profile] [--on-request]
                       [--temporal transformer|mamba]
                       [unet] [autoencoder] [small_decoder]

Times one call of the UNet on N frames (and the reference, which is one frame more) and the decoding of one frame by the
autoencoder and by the small decoder, all at the published sizes with random weights, beside the best dense convolution
and matrix product.
With --temporal mamba the UNet has a temporal Mamba in place of each temporal Transformer's attentions
(docs/temporal-mamba.md); without it, or with transformer, it is as published.
With --on-request it warms up and then answers each line on stdin with the seconds of one more run of the UNet and the
autoencoder's decoder, as JSON.
Default: all three at 256x384, 7 frames, bf16 on the CPU.
)";

struct Options {
  Compute compute;
  int width = 256;
  int height = 384;
  int frames = 7;
  int repeat = 3;
  bool profile = false;
  bool on_request = false;
  models::UNetConfig unet_config;
  bool unet = false;
  bool autoencoder = false;
  bool small_decoder = false;
  [[nodiscard]] at::TensorOptions tensors() const {
    return at::TensorOptions().device(compute.device).dtype(compute.dtype);
  }
  [[nodiscard]] Pace pace() const { return {.repeat = repeat}; }
};

/// The faster of a 3×3 convolution and a matrix product, in FLOP/s.
double ceiling(const Options& options) {
  const BestRates rates = measure_best_rates(options.tensors(), options.pace(), options.compute.int8);
  fmt::print("ceiling        convolution {:.3f} TFLOP/s, matrix product {:.3f} TFLOP/s ({}, {} threads)\n",
             rates.convolution / 1e12, rates.product / 1e12, dtype_name(options.compute), at::get_num_threads());
  return rates.best();
}

void run(const Options& options, const char* name, double operations, double best_rate,
         const std::function<at::Tensor()>& work) {
  reset_peak_memory();
  const double seconds = best_seconds(options.pace(), work);
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
  UNetCall unet(options.unet_config, {1, options.frames, options.height / 8, options.width / 8}, options.tensors());
  if (options.compute.int8) unet.use_int8();
  run(options, "UNet", unet.operations(), best_rate, [&] { return unet(); });
}

template <typename Model, typename Config>
void benchmark_decoder(const Options& options, const char* name, double best_rate) {
  DecoderCall<Model> decoder(Config(), 1, options.height / 8, options.width / 8, options.tensors());
  if constexpr (std::is_same_v<Model, models::Autoencoder>) {
    if (options.compute.int8) decoder.use_int8();
  }
  run(options, name, decoder.operations(), best_rate, [&] { return decoder(); });
}

void benchmark_models(const Options& options) {
  const double best_rate = ceiling(options);
  if (options.unet) benchmark_unet(options, best_rate);
  if (options.autoencoder) {
    benchmark_decoder<models::Autoencoder, models::AutoencoderConfig>(options, "decode 1 frame", best_rate);
  }
  if (options.small_decoder) {
    benchmark_decoder<models::SmallDecoder, models::SmallDecoderConfig>(options, "small decoder", best_rate);
  }
}

/// So that something else can be timed in turns with it.
void answer_requests(const Options& options) {
  const std::int64_t h = options.height / 8;
  const std::int64_t w = options.width / 8;
  UNetCall unet(options.unet_config, {1, options.frames, h, w}, options.tensors());
  if (options.compute.int8) unet.use_int8();
  DecoderCall<models::Autoencoder> decoder(models::AutoencoderConfig(), 1, h, w, options.tensors());
  if (options.compute.int8) decoder.use_int8();
  const auto timed = [](const auto& model) { return seconds_of([&] { model().flatten()[0].template item<float>(); }); };
  timed(unet);
  timed(decoder);
  for (int character = std::getchar(); character != EOF; character = std::getchar()) {
    if (character != '\n') continue;
    const double of_unet = timed(unet);
    fmt::print("{{\"unet\": {:.4f}, \"decoder\": {:.4f}}}\n", of_unet, timed(decoder));
    std::fflush(stdout);
  }
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
    } else if (argument == "--temporal") {
      options.unet_config.temporal = fields::parse_word<models::TemporalKind>("--temporal", value());
    } else if (argument == "--on-request") {
      options.on_request = true;
    } else if (argument == "unet") {
      options.unet = true;
    } else if (argument == "autoencoder") {
      options.autoencoder = true;
    } else if (argument == "small_decoder") {
      options.small_decoder = true;
    } else {
      throw Error(ErrorKind::kUsage, "unknown argument '{}'\n{}", argument, kUsage);
    }
  }
  if (!options.unet && !options.autoencoder && !options.small_decoder) {
    options.unet = options.autoencoder = options.small_decoder = true;
  }
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
    if (options.on_request) {
      answer_requests(options);
    } else {
      benchmark_models(options);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "model_benchmark: {}\n", error.what());
    return 1;
  }
  return 0;
}
