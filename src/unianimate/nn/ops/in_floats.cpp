#include "unianimate/nn/ops/in_floats.h"

#include <algorithm>
#include <array>
#include <vector>

#include "unianimate/nn/ops/linear.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

/// Of activations at once: 64 MB.
constexpr std::int64_t kMostFloats = 16'777'216;

/// Whether the products of so many rows are worth that a weight is widened for them. Without AVX-512 there is no other
/// way that is quick.
bool are_enough(std::int64_t rows, std::int64_t fewest) {
  static const bool has_other_way = __builtin_cpu_supports("avx512bw") != 0;
  return !has_other_way || rows >= fewest;
}

at::Tensor widened(const at::Tensor& x) {
  return x.defined() ? x.to(at::kFloat) : x;
}

}  // namespace

at::Tensor linear_in_floats(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& residual) {
  constexpr std::int64_t kFewestRows = 384;
  const std::int64_t in = weight.size(1);
  const std::int64_t out = weight.size(0);
  const std::int64_t rows = x.numel() / in;
  if (!are_enough(rows, kFewestRows)) return one_dnn_linear(x, weight, bias, residual);
  const at::Tensor wide_weight = widened(weight);
  const at::Tensor wide_bias = widened(bias);
  const at::Tensor from = x.reshape({rows, in});
  const at::Tensor past = residual.defined() ? residual.reshape({rows, out}) : residual;
  const at::Tensor to = at::empty({rows, out}, x.options());
  const std::int64_t at_once = std::max<std::int64_t>(1, kMostFloats / (in + out));
  for (std::int64_t first = 0; first < rows; first += at_once) {
    const std::int64_t count = std::min(at_once, rows - first);
    const auto part = [&](const at::Tensor& whole) {
      return whole.defined() ? widened(whole.narrow(0, first, count)) : whole;
    };
    to.narrow(0, first, count).copy_(one_dnn_linear(part(from), wide_weight, wide_bias, part(past)));
  }
  std::vector<std::int64_t> sizes = x.sizes().vec();
  sizes.back() = out;
  return to.view(sizes);
}

at::Tensor convolution_in_floats(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                 const Convolution& convolution) {
  constexpr std::int64_t kFewestPixels = 768;
  const auto [stride, stride_across] = convolution.stride;
  const auto [padding, padding_across] = convolution.padding;
  const std::int64_t kernel = weight.size(2);
  const std::int64_t height = (x.size(2) + 2 * padding - kernel) / stride + 1;
  const std::int64_t width = (x.size(3) + 2 * padding_across - weight.size(3)) / stride_across + 1;
  if (!are_enough(x.size(0) * height * width, kFewestPixels)) {
    return at::conv2d(x, weight, optional_of(bias), convolution.stride, convolution.padding);
  }
  const at::Tensor wide_weight = widened(weight);
  const at::Tensor wide_bias = widened(bias);
  const at::Tensor y =
      at::empty({x.size(0), weight.size(0), height, width}, x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const std::array<std::int64_t, 2> within{0, padding_across};
  const std::int64_t row_floats = x.size(0) * (stride * x.size(1) * x.size(3) + y.size(1) * width);
  const std::int64_t at_once = std::clamp<std::int64_t>(kMostFloats / row_floats, 1, height);
  for (std::int64_t first = 0; first < height; first += at_once) {
    const std::int64_t count = std::min(at_once, height - first);
    // The rows of x that these see, with those of zeros around it.
    const std::int64_t above = first * stride - padding;
    const std::int64_t seen = (count - 1) * stride + kernel;
    const std::int64_t begin = std::max<std::int64_t>(above, 0);
    const std::int64_t end = std::min(above + seen, x.size(2));
    const at::Tensor part = at::zeros({x.size(0), x.size(1), seen, x.size(3)},
                                      wide_weight.options().memory_format(at::MemoryFormat::ChannelsLast));
    part.narrow(2, begin - above, end - begin).copy_(x.narrow(2, begin, end - begin));
    y.narrow(2, first, count).copy_(at::conv2d(part, wide_weight, optional_of(wide_bias), convolution.stride, within));
  }
  return y;
}

std::int64_t bytes_in_floats(std::int64_t weight_elements) {
  if (ops_for(at::empty({1}, at::kBFloat16)).linear != linear_in_floats) return 0;
  return static_cast<std::int64_t>(sizeof(float)) * (2 * weight_elements + kMostFloats);
}

}  // namespace unianimate::nn
