#include "unianimate/training/muon.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "unianimate/core/named_tensor.h"
#include "unianimate/training/optimizer.h"

namespace unianimate::training {
namespace {

at::Tensor numbers_from_zero(std::int64_t rows, std::int64_t columns) {
  return at::arange(rows * columns, at::kFloat).reshape({rows, columns});
}

struct MuonAsInPyTorch {
  std::int64_t rows;
  std::int64_t columns;
  std::array<double, 6> weights;  ///< numbers 0, 1, 16, 17, 135, 271 after three steps
  double norm;
};

/// Of torch.optim.Muon of PyTorch 2.11 (learning rate 0.01, weight decay 0.1, adjust_lr_fn "match_rms_adamw"), its
/// products in 32 bits instead of bf16.
const std::array<MuonAsInPyTorch, 2> kPyTorch{
    {{16, 17, {-0.010148, 0.356823, -0.355718, 0.004601, -0.308791, -0.256313}, 11.614083775762996},
     {17, 16, {-0.003607, 0.354676, -0.357114, 0.003325, -0.308541, -0.252561}, 11.617394624249286}}};

TEST(Muon, StepsAsPyTorchs) {
  for (const MuonAsInPyTorch& there : kPyTorch) {
    const at::Tensor i = numbers_from_zero(there.rows, there.columns);
    at::Tensor weight = at::sin(0.37 * i);
    OptimizerOptions options{.kind = OptimizerKind::kMuon, .weight_decay = 0.1, .clip_norm = 0, .ema_decay = 0};
    Optimizer optimizer({{"w", weight}}, options);
    for (int k = 1; k <= 3; ++k) {
      optimizer.zero_gradients();
      weight.mutable_grad() = at::cos(0.11 * k * i) + 0.3 * at::sin(0.05 * i * i);
      optimizer.step(0.01, 1);
    }
    const at::Tensor flat = weight.detach().flatten();
    const std::array<std::int64_t, 6> which{0, 1, 16, 17, 135, 271};
    for (std::size_t n = 0; n < which.size(); ++n) {
      EXPECT_NEAR(flat[which[n]].item<double>(), there.weights[n], 2e-5) << there.rows << " rows, number " << which[n];
    }
    EXPECT_NEAR(flat.norm().item<double>(), there.norm, 1e-4);
  }
}

TEST(Muon, MakesMomentumOrthogonalWhateverItsShapeAndSize) {
  for (const auto& [rows, columns] : {std::pair{16, 40}, {40, 16}, {24, 24}}) {
    const at::Tensor u = std::get<0>(at::linalg_qr(at::sin(numbers_from_zero(rows, rows).square())));
    const at::Tensor v = std::get<0>(at::linalg_qr(at::cos(numbers_from_zero(columns, columns).square())));
    const std::int64_t least = std::min(rows, columns);
    const at::Tensor directions = u.slice(1, 0, least).mm(v.slice(1, 0, least).t());
    const at::Tensor singular = at::linspace(1, 0.1, least);
    for (const double size : {1e-4, 1.0, 1e4}) {
      const at::Tensor found = orthogonalized(u.slice(1, 0, least).mul(size * singular).mm(v.slice(1, 0, least).t()));
      const at::Tensor values = std::get<1>(at::linalg_svd(found, false));
      EXPECT_GT(values.min().item<double>(), 0.6) << rows << " × " << columns << ", " << size;
      EXPECT_LT(values.max().item<double>(), 1.3) << rows << " × " << columns << ", " << size;
      EXPECT_GT((found * directions).sum().item<double>() / (found.norm() * directions.norm()).item<double>(), 0.95);
    }
  }
  EXPECT_EQ(orthogonalized(at::zeros({16, 20})).abs().max().item<double>(), 0);
}

/// Five steps as they are written, in double.
at::Tensor orthogonalized_by_hand(const at::Tensor& matrix) {
  const bool upright = matrix.size(0) > matrix.size(1);
  at::Tensor x = upright ? matrix.t().to(at::kDouble) : matrix.to(at::kDouble);
  x = x / x.norm();
  for (int i = 0; i < 5; ++i) {
    const at::Tensor square = x.mm(x.t());
    x = 3.4445 * x + (-4.7750 * square + 2.0315 * square.mm(square)).mm(x);
  }
  return upright ? x.t() : x;
}

TEST(Muon, TakesItsStepsWhateverTheShapeAndHoweverFlat) {
  for (const auto& [rows, columns] : {std::pair{64, 64}, {64, 80}, {64, 96}, {64, 288}, {288, 64}}) {
    const std::int64_t least = std::min(rows, columns);
    const at::Tensor u = at::sin(numbers_from_zero(rows, least).square());
    const at::Tensor v = at::cos(0.7 * numbers_from_zero(least, columns).square());
    // All directions alike, and one that is a thousand times as long as the others.
    for (const double others : {1.0, 1e-3}) {
      const at::Tensor sizes = at::full({least}, others);
      sizes[0] = 1;
      const at::Tensor matrix = (u * sizes).mm(v);
      const at::Tensor expected = orthogonalized_by_hand(matrix);
      const double distance = (orthogonalized(matrix) - expected).norm().item<double>();
      EXPECT_LE(distance, 2e-3 * expected.norm().item<double>()) << rows << " × " << columns << ", " << others;
    }
  }
}

TEST(Muon, LeavesRatesOfDecayOfMambasToAdamW) {
  constexpr const char* kBlock = "unet.middle_block.2.transformer_blocks.0.mamba.";
  NamedTensors parameters;
  for (const char* last : {"in_proj.weight", "A_log", "A_b_log"}) {
    parameters.push_back({std::string(kBlock) + last, at::ones({96, 16})});
  }
  std::vector<std::string> of_adamw;
  for (const NamedTensor& tensor : Optimizer(parameters, {.kind = OptimizerKind::kMuon}).state()) {
    if (tensor.name.starts_with("second_moment/")) of_adamw.push_back(tensor.name.substr(tensor.name.rfind('.') + 1));
  }
  EXPECT_EQ(of_adamw, (std::vector<std::string>{"A_log", "A_b_log"}));
}

TEST(Muon, TakesConvolutionsAsMatricesAndLeavesTheRestToAdamW) {
  EXPECT_TRUE(is_updated_by_muon("unet.middle_block.0.in_layers.2.weight", at::zeros({48, 48, 3, 3})));
  EXPECT_TRUE(is_updated_by_muon("unet.time_embed.0.weight", at::zeros({192, 48})));
  EXPECT_FALSE(is_updated_by_muon("unet.out.2.weight", at::zeros({4, 48, 3, 3})));
  EXPECT_FALSE(is_updated_by_muon("unet.input_blocks.0.0.weight", at::zeros({48, 12, 3, 3})));
  EXPECT_FALSE(is_updated_by_muon("visual.conv1.weight", at::zeros({96, 3, 28, 28})));
  EXPECT_FALSE(
      is_updated_by_muon("unet.middle_block.2.transformer_blocks.0.mamba.conv1d.weight", at::zeros({96, 1, 4})));
  EXPECT_FALSE(is_updated_by_muon("unet.middle_block.0.in_layers.2.bias", at::zeros({48})));
  EXPECT_FALSE(is_updated_by_muon("visual.positional_embedding", at::zeros({17, 96})));

  // One step of a convolution is that of the matrix with the same numbers; it keeps one moment.
  const at::Tensor gradient = at::sin(numbers_from_zero(16, 144).square());
  std::array<at::Tensor, 2> weights{at::zeros({16, 144}), at::zeros({16, 16, 3, 3})};
  OptimizerOptions options{.kind = OptimizerKind::kMuon, .clip_norm = 0};
  for (at::Tensor& weight : weights) {
    Optimizer optimizer({{"w", weight}}, options);
    weight.mutable_grad() = gradient.reshape(weight.sizes());
    optimizer.step(0.1, 1);
    for (const NamedTensor& tensor : optimizer.state()) EXPECT_FALSE(tensor.name.starts_with("second_moment/"));
  }
  EXPECT_GT(weights[0].detach().abs().max().item<double>(), 0);
  EXPECT_TRUE(at::allclose(weights[0].detach(), weights[1].detach().reshape({16, 144})));
}

TEST(Muon, UpdatesMatricesBesideVectorsThatAdamWUpdates) {
  const auto matrix = [] { return NamedTensor{"w", at::sin(numbers_from_zero(16, 20)).to(at::kBFloat16)}; };
  const auto vector = [] { return NamedTensor{"b", at::arange(20, at::kFloat)}; };
  const auto all = [](OptimizerKind kind, const NamedTensors& parameters) {
    Optimizer optimizer(parameters, {.kind = kind, .clip_norm = 0});
    for (int k = 1; k <= 4; ++k) {
      optimizer.zero_gradients();
      for (const NamedTensor& parameter : parameters) {
        parameter.tensor.mutable_grad() = at::cos(k * parameter.tensor.detach());
        // An update that is no number changes nothing.
        if (k == 3) parameter.tensor.mutable_grad().fill_(std::nan(""));
      }
      EXPECT_EQ(std::isfinite(optimizer.step(1e-4, 1)), k != 3);
    }
    return optimizer.state();
  };
  const auto expect_same = [](const NamedTensors& part, const NamedTensors& whole) {
    for (const NamedTensor& expected : part) {
      const auto found = std::ranges::find(whole, expected.name, &NamedTensor::name);
      ASSERT_NE(found, whole.end()) << expected.name;
      EXPECT_TRUE(at::equal(found->tensor, expected.tensor)) << expected.name;
    }
  };
  const NamedTensors both = all(OptimizerKind::kMuon, {matrix(), vector()});
  expect_same(all(OptimizerKind::kMuon, {matrix()}), both);
  expect_same(all(OptimizerKind::kAdamW, {vector()}), both);
  // Updates far below what bf16 resolves add up in the master.
  const at::Tensor before = at::sin(numbers_from_zero(16, 20)).to(at::kBFloat16).to(at::kFloat);
  const double moved = (both.front().tensor - before).abs().mean().item<double>();
  EXPECT_GT(moved, 1e-5);
  EXPECT_LT(moved, 1e-4);
}

}  // namespace
}  // namespace unianimate::training
