#include "unianimate/nn/ops/upsampled_convolution.h"

#include <algorithm>
#include <cstdint>

#include "unianimate/nn/ops/convolution.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

constexpr Convolution kOneAround{.padding = {1, 1}};
/// Output channels whose weights are added at once, in floats.
constexpr std::int64_t kChannelsAtOnce = 128;

/// What the three weights along `dim` come to on the pixels that are not enlarged: for the first of the two results
/// that a pixel has, and for the second.
void fold_along(const at::Tensor& weight, std::int64_t dim, const at::Tensor& first, const at::Tensor& second) {
  const auto tap = [&](std::int64_t i) { return weight.select(dim, i); };
  first.select(dim, 0).copy_(tap(0));
  first.select(dim, 1).copy_(tap(1) + tap(2));
  second.select(dim, 0).copy_(tap(0) + tap(1));
  second.select(dim, 1).copy_(tap(2));
}

/// (out, in, 3, 3) -> (4·out, in, 2, 2): for the result above on the left, above on the right, below on the left, below
/// on the right.
at::Tensor fold(const at::Tensor& weight) {
  const at::ScalarType sums = weight.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const std::int64_t in = weight.size(1);
  const at::Tensor whole = weight.permute({0, 2, 3, 1});
  at::Tensor folded = at::empty({4, weight.size(0), 2, 2, in}, weight.options());
  for (std::int64_t first = 0; first < weight.size(0); first += kChannelsAtOnce) {
    const std::int64_t count = std::min(kChannelsAtOnce, weight.size(0) - first);
    const at::Tensor part = whole.narrow(0, first, count).to(sums);
    const at::Tensor rows = at::empty({2, count, 2, 3, in}, part.options());
    fold_along(part, 1, rows[0], rows[1]);
    for (std::int64_t row = 0; row < 2; ++row) {
      const auto of = [&](std::int64_t column) { return folded[2 * row + column].narrow(0, first, count); };
      fold_along(rows[row], 2, of(0), of(1));
    }
  }
  return folded.flatten(0, 1).permute({0, 3, 1, 2});
}

}  // namespace

at::Tensor upsample_nearest_2x(const at::Tensor& x) {
  return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
}

at::Tensor convolve_upsampled(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (!x.is_cpu() || needs_gradient({x, weight, bias})) {
    return convolve(upsample_nearest_2x(x), weight, bias, kOneAround);
  }
  const std::int64_t h = x.size(2);
  const std::int64_t w = x.size(3);
  const std::int64_t out = weight.size(0);
  const at::Tensor four_biases = bias.defined() ? bias.repeat({4}) : bias;
  // Between and around the pixels of x: the results above a pixel see it and the one before, those below the one after.
  const at::Tensor between = convolve(x, fold(weight), four_biases, kOneAround).permute({0, 2, 3, 1});
  at::Tensor result = at::empty({x.size(0), h, 2, w, 2, out}, x.options());
  for (std::int64_t row = 0; row < 2; ++row) {
    for (std::int64_t column = 0; column < 2; ++column) {
      const at::Tensor part = between.narrow(1, row, h).narrow(2, column, w).narrow(3, (2 * row + column) * out, out);
      result.select(4, column).select(2, row).copy_(part);
    }
  }
  return result.view({x.size(0), 2 * h, 2 * w, out}).permute({0, 3, 1, 2});
}

}  // namespace unianimate::nn
