#include "model_speed.h"

#include <cmath>

#include "stopwatch.h"
#include "unianimate/models/unet/cost.h"

namespace unianimate::benchmarks {

namespace {

constexpr std::int64_t kPromptTokens = 77;
constexpr std::int64_t kPixelsOfALatent = 8;

/// Sizes of the work whose rate is measured.
struct RateSizes {
  std::int64_t pictures;
  std::int64_t height;
  std::int64_t width;
  std::int64_t rows;
  std::int64_t columns;
};
constexpr RateSizes kOnCpu{9, 48, 32, 4096, 1280};
constexpr RateSizes kOnCard{33, 96, 64, 8192, 8192};

models::EncodedConditions encoded_conditions(const models::UNet& unet, const models::LatentShape& shape) {
  const models::UNetConfig& config = unet.config();
  models::UNetConditions conditions;
  conditions.image = at::randn({shape.batch, 1, config.context_dim});
  conditions.dwpose =
      at::rand({shape.batch, 3, 1 + shape.frames, kPixelsOfALatent * shape.height, kPixelsOfALatent * shape.width});
  conditions.randomref = at::randn({shape.batch, models::UNetConfig::kLatentChannels, 1, shape.height, shape.width});
  return unet.encode(conditions, at::randn({1, kPromptTokens, config.context_dim}), shape);
}

}  // namespace

void fill_with_numbers(const NamedTensors& parameters) {
  constexpr double kSmall = 0.02;
  for (const auto& [name, tensor] : parameters) {
    if (name.ends_with("bias")) {
      tensor.normal_(0, kSmall);
    } else if (tensor.dim() >= 2) {
      tensor.normal_(0, std::sqrt(static_cast<double>(tensor.size(0)) / static_cast<double>(tensor.numel())));
    } else {
      tensor.fill_(1);
    }
  }
}

double best_seconds(const Pace& pace, const std::function<at::Tensor()>& work) {
  double best = 0;
  double total = 0;
  for (int run = 0; run <= pace.repeat || total < pace.seconds; ++run) {
    const Stopwatch watch;
    work().flatten()[0].item<float>();  // on a card this waits for the result
    const double seconds = watch.seconds();
    if (run == 0) continue;
    total += seconds;
    if (best == 0 || seconds < best) best = seconds;
  }
  return best;
}

BestRates measure_best_rates(const at::TensorOptions& options, const Pace& pace, bool int8) {
  constexpr std::int64_t kChannels = 320;
  constexpr std::int64_t kTaps = 9;
  const RateSizes& sizes = options.device().is_cpu() ? kOnCpu : kOnCard;
  const auto last = at::MemoryFormat::ChannelsLast;
  const at::Tensor x = at::randn({sizes.pictures, kChannels, sizes.height, sizes.width}, options).contiguous(last);
  const at::Tensor weight = at::randn({kChannels, kChannels, 3, 3}, options).contiguous(last);
  const auto convolution = static_cast<double>(2 * x.numel() * kChannels * kTaps);
  const at::Tensor a = at::randn({sizes.rows, sizes.columns}, options);
  const at::Tensor b = at::randn({sizes.columns, sizes.columns}, options);
  const auto product = static_cast<double>(2 * a.numel() * sizes.columns);
  if (int8) {
    constexpr nn::Convolution kSame{{1, 1}, {1, 1}};
    const nn::PackedInt8 kernel = nn::pack_int8_conv(nn::quantize_weight(weight), {}, kSame);
    const nn::PackedInt8 matrix = nn::pack_int8_linear(nn::quantize_weight(b), {});
    return {.convolution = convolution / best_seconds(pace, [&] { return nn::int8_conv(x, kernel, kSame); }),
            .product = product / best_seconds(pace, [&] { return nn::int8_linear(a, matrix); })};
  }
  return {.convolution = convolution / best_seconds(pace,
                                                    [&] {
                                                      return at::conv2d(x, weight, {}, {1, 1}, {1, 1});
                                                    }),
          .product = product / best_seconds(pace, [&] { return at::linear(a, b); })};
}

UNetCall::UNetCall(const models::UNetConfig& config, const models::LatentShape& shape, const at::TensorOptions& options)
    : shape_(shape), unet_(config, options) {
  constexpr std::int64_t kTimestep = 500;
  fill_with_numbers(unet_.named_parameters());
  encoded_ = encoded_conditions(unet_, shape);
  x_ = at::randn({shape.batch, models::UNetConfig::kLatentChannels, shape.frames, shape.height, shape.width},
                 options.dtype(at::kFloat));
  timesteps_ = at::full({shape.batch}, kTimestep, options.dtype(at::kLong));
}

void UNetCall::use_int8() {
  for (const nn::NamedProduct& layer : models::int8_candidates(unet_)) layer.product->use_int8();
}

double UNetCall::operations() const {
  return models::unet_operations(unet_.config(), shape_);
}

}  // namespace unianimate::benchmarks
