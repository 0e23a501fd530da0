#include "unianimate/nn/ops/winograd.h"

#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>
#include <ATen/record_function.h>

#include <algorithm>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

constexpr std::int64_t kOutputsOfTile = 2;

WinogradShape shape_of(const at::Tensor& x, const at::Tensor& weight, const Convolution& convolution) {
  WinogradShape shape{};
  shape.height = x.size(2);
  shape.width = x.size(3);
  shape.in = x.size(1);
  shape.out = weight.size(0);
  shape.padding = convolution.padding[0];
  shape.padding_across = convolution.padding[1];
  shape.kernel_width = weight.size(3);
  shape.out_height = shape.height + 2 * shape.padding - 2;
  shape.out_width = shape.width + 2 * shape.padding_across - (shape.kernel_width - 1);
  shape.tile_rows = (shape.out_height + kOutputsOfTile - 1) / kOutputsOfTile;
  shape.tile_columns =
      shape.kernel_width == 3 ? (shape.out_width + kOutputsOfTile - 1) / kOutputsOfTile : shape.out_width;
  return shape;
}

/// Tiles that a thread works on at a time, so that its products and their left sides fit into 4 MB; every thread has as
/// many of these blocks as any other.
std::int64_t tiles_at_once(const WinogradShape& shape, std::int64_t channels, std::int64_t tiles) {
  constexpr std::int64_t kFloats = 1'048'576;
  constexpr std::int64_t kFewest = 32;
  constexpr std::int64_t kMost = 384;
  const std::int64_t most = std::clamp(kFloats / (shape.places() * (shape.in + channels)), kFewest, kMost);
  const std::int64_t threads = at::get_num_threads();
  const std::int64_t blocks = ((tiles + most - 1) / most + threads - 1) / threads * threads;
  return (tiles + blocks - 1) / blocks;
}

/// Fewer outputs are not worth that the weights are transformed for them.
bool is_worth_it(const WinogradShape& shape, std::int64_t images) {
  constexpr std::int64_t kFewestOutputs = 512;
  return shape.out_height > 0 && shape.out_width > 0 && images * shape.out_height * shape.out_width >= kFewestOutputs;
}

at::Tensor convolution_fp32(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const Convolution& convolution, const WinogradTiles& tiles) {
  return winograd_takes(weight, convolution) && is_worth_it(shape_of(x, weight, convolution), x.size(0))
             ? winograd_convolution(x, weight, bias, convolution, tiles)
             : at::conv2d(x, weight, optional_of(bias), convolution.stride, convolution.padding);
}

}  // namespace

bool winograd_takes(const at::Tensor& weight, const Convolution& convolution) {
  constexpr std::int64_t kChannels = 16;
  return convolution.stride == std::array<std::int64_t, 2>{1, 1} && weight.size(2) == 3 &&
         (weight.size(3) == 3 || weight.size(3) == 1) && weight.size(0) % kChannels == 0 &&
         weight.size(1) % kChannels == 0;
}

at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                const Convolution& convolution, const WinogradTiles& tiles) {
  RECORD_USER_SCOPE("unianimate::winograd_convolution");
  constexpr std::int64_t kChannelsAtOnce = 320;
  constexpr std::int64_t kChannelsTogether = 16;
  const WinogradShape shape = shape_of(x, weight, convolution);
  const at::Tensor from = x.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor taps = weight.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor added = bias.defined() ? bias.contiguous() : bias;
  const at::Tensor y = at::empty({x.size(0), shape.out, shape.out_height, shape.out_width},
                                 x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const std::int64_t count = x.size(0) * shape.tile_rows * shape.tile_columns;
  const at::Tensor right = at::empty({shape.places() * shape.in * std::min(shape.out, kChannelsAtOnce)}, x.options());
  auto* const right_data = right.mutable_data_ptr<float>();
  auto* const y_data = y.mutable_data_ptr<float>();
  for (std::int64_t first_channel = 0; first_channel < shape.out; first_channel += kChannelsAtOnce) {
    const std::int64_t channels = std::min(kChannelsAtOnce, shape.out - first_channel);
    at::parallel_for(0, channels / kChannelsTogether, 1, [&](std::int64_t begin, std::int64_t end) {
      tiles.weights(shape, taps.const_data_ptr<float>(), first_channel, channels, begin * kChannelsTogether,
                    end * kChannelsTogether, right_data);
    });
    const std::int64_t at_once = tiles_at_once(shape, channels, count);
    at::parallel_for(0, (count + at_once - 1) / at_once, 1, [&](std::int64_t begin, std::int64_t end) {
      const at::Tensor left = at::empty({shape.places() * at_once * shape.in}, x.options());
      const at::Tensor products = at::empty({shape.places() * at_once * channels}, x.options());
      auto* const left_data = left.mutable_data_ptr<float>();
      auto* const products_data = products.mutable_data_ptr<float>();
      for (std::int64_t block = begin; block < end; ++block) {
        const std::int64_t first = block * at_once;
        const std::int64_t size = std::min(at_once, count - first);
        tiles.inputs(shape, from.const_data_ptr<float>(), first, size, left_data);
        for (std::int64_t place = 0; place < shape.places(); ++place) {
          at::native::cpublas::brgemm(size, channels, shape.in, shape.in, channels, channels, false,
                                      left_data + place * size * shape.in, right_data + place * shape.in * channels,
                                      products_data + place * size * channels, false);
        }
        tiles.outputs(shape, products_data, added.defined() ? added.const_data_ptr<float>() : nullptr, first, size,
                      first_channel, channels, y_data);
      }
    });
  }
  return y;
}

at::Tensor avx2_convolution_fp32(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                 const Convolution& convolution) {
  return convolution_fp32(x, weight, bias, convolution, avx2_winograd_tiles());
}

at::Tensor avx512_convolution_fp32(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                   const Convolution& convolution) {
  return convolution_fp32(x, weight, bias, convolution, avx512_winograd_tiles());
}

}  // namespace unianimate::nn
