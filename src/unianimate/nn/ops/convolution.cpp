#include "unianimate/nn/ops/convolution.h"

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    const Convolution& convolution) {
  const Ops& ops = ops_for(x, {weight, bias});
  return ops.convolution != nullptr ? ops.convolution(x, weight, bias, convolution)
                                    : at::conv2d(x, weight, optional_of(bias), convolution.stride, convolution.padding);
}

}  // namespace unianimate::nn
