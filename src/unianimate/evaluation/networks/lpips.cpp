#include "unianimate/evaluation/networks/lpips.h"

#include <fmt/format.h>

#include <array>
#include <span>

namespace unianimate::evaluation {

namespace {

/// A convolution and ReLU.
struct TrunkLayer {
  int index;  ///< in torchvision's `features`
  std::int64_t in;
  std::int64_t out;
  nn::Conv2d::Shape shape;
  std::int64_t pooled = 0;  ///< kernel of a maximum pooling of stride 2 before it; 0: none
  bool compared = true;     ///< whether its result is one of the five that are
};

constexpr nn::Conv2d::Shape kThree{3, 1, 1, true};

constexpr TrunkLayer kAlexNet[] = {
    {0, 3, 64, {11, 4, 2, true}}, {3, 64, 192, {5, 1, 2, true}, 3}, {6, 192, 384, kThree, 3},
    {8, 384, 256, kThree},        {10, 256, 256, kThree},
};

constexpr TrunkLayer kVgg16[] = {
    {0, 3, 64, kThree, 0, false},     {2, 64, 64, kThree},
    {5, 64, 128, kThree, 2, false},   {7, 128, 128, kThree},
    {10, 128, 256, kThree, 2, false}, {12, 256, 256, kThree, 0, false},
    {14, 256, 256, kThree},           {17, 256, 512, kThree, 2, false},
    {19, 512, 512, kThree, 0, false}, {21, 512, 512, kThree},
    {24, 512, 512, kThree, 2, false}, {26, 512, 512, kThree, 0, false},
    {28, 512, 512, kThree},
};

std::span<const TrunkLayer> layers_of(LpipsTrunk trunk) {
  return trunk == LpipsTrunk::kAlexNet ? std::span<const TrunkLayer>(kAlexNet) : std::span<const TrunkLayer>(kVgg16);
}

/// To what ImageNet's mean and deviation make of values from 0 to 1.
at::Tensor scaled(const at::Tensor& pictures) {
  const at::Tensor shift = at::tensor({-.030F, -.088F, -.188F});
  const at::Tensor scale = at::tensor({.458F, .448F, .450F});
  return (pictures - shift) / scale;
}

/// (N, h, w, C)
at::Tensor max_pooled2d(const at::Tensor& x, std::int64_t kernel) {
  const std::array<std::int64_t, 2> sides{kernel, kernel};
  constexpr std::array<std::int64_t, 2> kTwice{2, 2};
  return at::max_pool2d(x.permute({0, 3, 1, 2}), sides, kTwice).permute({0, 2, 3, 1});
}

at::Tensor of_unit_length(const at::Tensor& x) {
  constexpr double kEps = 1e-10;
  return x / (x.square().sum(-1, true).sqrt() + kEps);
}

}  // namespace

struct Lpips::Stage {
  explicit Stage(const TrunkLayer& layer)
      : convolution(layer.in, layer.out, layer.shape, at::kFloat), pooled(layer.pooled), compared(layer.compared) {}

  nn::Conv2d convolution;
  std::int64_t pooled;
  bool compared;
};

Lpips::Lpips(LpipsTrunk trunk) {
  for (const TrunkLayer& layer : layers_of(trunk)) {
    stages_.push_back(std::make_unique<Stage>(layer));
    register_child(fmt::format("features.{}", layer.index), stages_.back()->convolution);
    if (!layer.compared) continue;
    heads_.push_back(
        register_parameter(fmt::format("lin{}.model.1.weight", heads_.size()), {1, layer.out, 1, 1}, at::kFloat));
  }
}

Lpips::~Lpips() = default;

std::vector<at::Tensor> Lpips::features(const at::Tensor& pictures) const {
  std::vector<at::Tensor> results;
  at::Tensor x = scaled(pictures);
  for (const auto& stage : stages_) {
    if (stage->pooled > 0) x = max_pooled2d(x, stage->pooled);
    x = stage->convolution(x).relu_();
    if (stage->compared) results.push_back(of_unit_length(x));
  }
  return results;
}

at::Tensor Lpips::distance(const at::Tensor& a, const at::Tensor& b) const {
  const std::vector<at::Tensor> of_a = features(a);
  const std::vector<at::Tensor> of_b = features(b);
  at::Tensor sum = at::zeros({a.size(0)});
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    sum += ((of_a[i] - of_b[i]).square() * heads_[i].flatten()).sum(-1).mean({1, 2});
  }
  return sum;
}

}  // namespace unianimate::evaluation
