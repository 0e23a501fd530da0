#include "unianimate/evaluation/networks/conv_norm.h"

#include <utility>

namespace unianimate::evaluation {

namespace {

constexpr double kNormEps = 1e-3;

std::vector<std::int64_t> weight_shape(std::int64_t in, std::int64_t out, const std::vector<std::int64_t>& kernel) {
  std::vector<std::int64_t> shape{out, in};
  shape.insert(shape.end(), kernel.begin(), kernel.end());
  return shape;
}

}  // namespace

ConvNorm::ConvNorm(const std::string& name, std::int64_t in, std::int64_t out, Shape shape)
    : shape_(std::move(shape)),
      convolution_(register_parameter(name + ".weight", weight_shape(in, out, shape_.kernel), at::kFloat)),
      weight_(register_parameter("bn.weight", {out}, at::kFloat)),
      bias_(register_parameter("bn.bias", {out}, at::kFloat)),
      mean_(register_parameter("bn.running_mean", {out}, at::kFloat)),
      variance_(register_parameter("bn.running_var", {out}, at::kFloat)) {}

at::Tensor ConvNorm::operator()(const at::Tensor& x) const {
  const std::vector<std::int64_t> once(shape_.kernel.size(), 1);
  const std::vector<std::int64_t> none(shape_.kernel.size(), 0);
  const at::Tensor y = at::convolution(x, convolution_, {}, shape_.stride, shape_.padding, once, false, none, 1);
  return at::batch_norm(y, weight_, bias_, mean_, variance_, false, 0, kNormEps, false).relu_();
}

}  // namespace unianimate::evaluation
