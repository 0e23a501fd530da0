#include "unianimate/nn/ops/convolution.h"

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

at::Tensor convolve_as_it_is(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             const Convolution& convolution) {
  const Ops& ops = ops_for(x, {weight, bias});
  return ops.convolution != nullptr ? ops.convolution(x, weight, bias, convolution)
                                    : at::conv2d(x, weight, optional_of(bias), convolution.stride, convolution.padding);
}

}  // namespace

std::int64_t columns_to_add(const at::Tensor& x, std::int64_t kernel_width, const Convolution& convolution) {
  const std::int64_t results = (x.size(3) + 2 * convolution.padding[1] - kernel_width) / convolution.stride[1] + 1;
  return convolution.stride[0] > 1 && results == 1 ? convolution.stride[1] : 0;
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    const Convolution& convolution) {
  if (x.is_cpu() && x.scalar_type() == at::kBFloat16) {
    const std::int64_t added = columns_to_add(x, weight.size(3), convolution);
    if (added > 0) {
      return convolve_as_it_is(at::constant_pad_nd(x, {0, added}), weight, bias, convolution).narrow(3, 0, 1);
    }
  }
  return convolve_as_it_is(x, weight, bias, convolution);
}

}  // namespace unianimate::nn
