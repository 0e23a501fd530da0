#include "unianimate/evaluation/networks/i3d.h"

#include <algorithm>
#include <array>
#include <string>

namespace unianimate::evaluation {

namespace {

using Axes = std::array<std::int64_t, 3>;

/// TensorFlow's padding "SAME": zeros around frames, rows and columns, the odd one behind.
at::Tensor same_padded(const at::Tensor& x, at::IntArrayRef kernel, at::IntArrayRef stride) {
  std::vector<std::int64_t> padding;
  for (int axis = 2; axis >= 0; --axis) {
    const auto at = static_cast<std::size_t>(axis);
    const std::int64_t rest = x.size(axis + 2) % stride[at];
    const std::int64_t all = std::max<std::int64_t>(kernel[at] - (rest == 0 ? stride[at] : rest), 0);
    padding.push_back(all / 2);
    padding.push_back(all - all / 2);
  }
  return at::constant_pad_nd(x, padding);
}

/// Zeros count as values, which after a ReLU changes nothing.
at::Tensor max_pooled(const at::Tensor& x, const Axes& kernel, const Axes& stride) {
  return at::max_pool3d(same_padded(x, kernel, stride), kernel, stride);
}

std::unique_ptr<ConvNorm> make_unit3d(std::int64_t in, std::int64_t out, std::int64_t side, std::int64_t stride = 1) {
  return std::make_unique<ConvNorm>("conv3d", in, out,
                                    ConvNorm::Shape{{side, side, side}, {stride, stride, stride}, {0, 0, 0}});
}

at::Tensor applied(const ConvNorm& unit, const at::Tensor& x) {
  return unit(same_padded(x, unit.shape().kernel, unit.shape().stride));
}

/// Pooling before a stage; nothing for a kernel of ones.
struct Pooling {
  Axes kernel{1, 1, 1};
  Axes stride{1, 1, 1};
};

/// Channels of the branches: 1×1, 1×1 and 3×3, 1×1 and 3×3, 1×1 after pooling.
struct MixedPlan {
  const char* name;
  std::int64_t in;
  std::array<std::int64_t, 6> out;
  Pooling pooling = {};
};

constexpr Pooling kHalveSides{{1, 3, 3}, {1, 2, 2}};

constexpr MixedPlan kMixed[] = {
    {"Mixed_3b", 192, {64, 96, 128, 16, 32, 32}, kHalveSides},
    {"Mixed_3c", 256, {128, 128, 192, 32, 96, 64}},
    {"Mixed_4b", 480, {192, 96, 208, 16, 48, 64}, {{3, 3, 3}, {2, 2, 2}}},
    {"Mixed_4c", 512, {160, 112, 224, 24, 64, 64}},
    {"Mixed_4d", 512, {128, 128, 256, 24, 64, 64}},
    {"Mixed_4e", 512, {112, 144, 288, 32, 64, 64}},
    {"Mixed_4f", 528, {256, 160, 320, 32, 128, 128}},
    {"Mixed_5b", 832, {256, 160, 320, 32, 128, 128}, {{2, 2, 2}, {2, 2, 2}}},
    {"Mixed_5c", 832, {384, 192, 384, 48, 128, 128}},
};

constexpr std::int64_t kLastChannels = 1024;

}  // namespace

/// One convolution, or four branches beside each other.
class I3d::Stage : public nn::Module {
 public:
  Stage(std::unique_ptr<ConvNorm> unit, const Pooling& pooling)
      : pooling_kernel_(pooling.kernel), pooling_stride_(pooling.stride) {
    units_.push_back(std::move(unit));
  }

  explicit Stage(const MixedPlan& plan) : pooling_kernel_(plan.pooling.kernel), pooling_stride_(plan.pooling.stride) {
    const auto& out = plan.out;
    add("b0", make_unit3d(plan.in, out[0], 1));
    add("b1a", make_unit3d(plan.in, out[1], 1));
    add("b1b", make_unit3d(out[1], out[2], 3));
    add("b2a", make_unit3d(plan.in, out[3], 1));
    add("b2b", make_unit3d(out[3], out[4], 3));
    add("b3b", make_unit3d(plan.in, out[5], 1));
  }

  [[nodiscard]] const ConvNorm& unit() const { return *units_.front(); }

  [[nodiscard]] at::Tensor operator()(const at::Tensor& before) const {
    const at::Tensor x =
        pooling_kernel_ == Axes{1, 1, 1} ? before : max_pooled(before, pooling_kernel_, pooling_stride_);
    const auto branch = [&](std::size_t first, const at::Tensor& y) { return applied(*units_[first], y); };
    if (units_.size() == 1) return branch(0, x);
    return at::cat({branch(0, x), branch(2, branch(1, x)), branch(4, branch(3, x)),
                    branch(5, max_pooled(x, {3, 3, 3}, {1, 1, 1}))},
                   1);
  }

 private:
  void add(const char* name, std::unique_ptr<ConvNorm> unit) {
    units_.push_back(std::move(unit));
    register_child(name, *units_.back());
  }

  Axes pooling_kernel_;
  Axes pooling_stride_;
  std::vector<std::unique_ptr<ConvNorm>> units_;
};

I3d::I3d() {
  const auto add_unit = [this](const char* name, std::unique_ptr<ConvNorm> unit, const Pooling& pooling) {
    stages_.push_back(std::make_unique<Stage>(std::move(unit), pooling));
    register_child(name, stages_.back()->unit());
  };
  add_unit("Conv3d_1a_7x7", make_unit3d(3, 64, 7, 2), {});
  add_unit("Conv3d_2b_1x1", make_unit3d(64, 64, 1), kHalveSides);
  add_unit("Conv3d_2c_3x3", make_unit3d(64, 192, 3), {});
  for (const MixedPlan& plan : kMixed) {
    stages_.push_back(std::make_unique<Stage>(plan));
    register_child(plan.name, *stages_.back());
  }
  logits_weight_ = register_parameter("logits.conv3d.weight", {kClasses, kLastChannels, 1, 1, 1}, at::kFloat);
  logits_bias_ = register_parameter("logits.conv3d.bias", {kClasses}, at::kFloat);
}

I3d::~I3d() = default;

at::Tensor I3d::logits(const at::Tensor& clips) const {
  constexpr Axes kOnce{1, 1, 1};
  constexpr Axes kAll{2, 7, 7};
  at::Tensor x = clips;
  for (const auto& stage : stages_) x = (*stage)(x);
  return at::conv3d(at::avg_pool3d(x, kAll, kOnce), logits_weight_, logits_bias_).squeeze(4).squeeze(3).mean(2);
}

}  // namespace unianimate::evaluation
