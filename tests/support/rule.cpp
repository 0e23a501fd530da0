#include "support/rule.h"

#include <c10/core/GradMode.h>
#include <zlib.h>

#include <cmath>

#include "unianimate/core/random.h"

namespace unianimate::testing {

namespace {

at::Tensor uniform(const std::string& name, at::IntArrayRef shape) {
  const auto seed = crc32(0, reinterpret_cast<const Bytef*>(name.data()), static_cast<uInt>(name.size()));
  return at::rand(shape, make_generator(seed), at::TensorOptions().dtype(at::kFloat));
}

}  // namespace

at::Tensor rule_weight(const std::string& key, at::IntArrayRef shape) {
  at::Tensor u = uniform(key, shape).mul_(2).sub_(1);
  if (key.ends_with("bias")) return u.mul_(0.1);
  if (shape.size() >= 2) {
    const double fan_in = static_cast<double>(u.numel()) / static_cast<double>(shape[0]);
    return u.mul_(std::sqrt(3.0 / fan_in));
  }
  if (shape.size() == 1 && key.ends_with("weight")) return u.mul_(0.1).add_(1);
  return u;
}

at::Tensor rule_input(const std::string& name, at::IntArrayRef shape, double low, double high) {
  return uniform(name, shape).mul_(high - low).add_(low);
}

at::Tensor rule_picture(const std::string& name, std::int64_t height, std::int64_t width) {
  return rule_input(name, {height, width, 3}, 0, 1).mul_(255.999).floor_().to(at::kByte);
}

void fill_by_rule(const NamedTensors& tensors, const std::string& prefix) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) tensor.copy_(rule_weight(prefix + name, tensor.sizes()));
}

}  // namespace unianimate::testing
