#include "unianimate/training/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "unianimate/core/error.h"

namespace unianimate::training {
namespace {

/// AdamW written down from the paper's algorithm 2, in doubles.
struct AdamWByHand {
  double weight;
  double m = 0;
  double v = 0;
  int t = 0;

  void step(double gradient, double rate, const OptimizerOptions& o) {
    ++t;
    m = o.beta1 * m + (1 - o.beta1) * gradient;
    v = o.beta2 * v + (1 - o.beta2) * gradient * gradient;
    const double m_hat = m / (1 - std::pow(o.beta1, t));
    const double v_hat = v / (1 - std::pow(o.beta2, t));
    weight -= rate * o.weight_decay * weight;
    weight -= rate * m_hat / (std::sqrt(v_hat) + o.epsilon);
  }
};

OptimizerOptions unclipped() {
  OptimizerOptions options;
  options.clip_norm = 0;
  options.weight_decay = 0.1;
  options.ema_decay = 0.5;
  return options;
}

TEST(Optimizer, StepsAsAdamWDoes) {
  at::Tensor weight = at::full({1}, 0.7);
  Optimizer optimizer({{"w", weight}}, unclipped());
  AdamWByHand twin{weight.item<double>()};
  for (const double gradient : {0.5, -1.5, 0.25, 3.0}) {
    optimizer.zero_gradients();
    weight.mutable_grad() = at::full({1}, 2 * gradient);
    EXPECT_NEAR(optimizer.step(0.01, 2), std::abs(gradient), 1e-6);
    twin.step(gradient, 0.01, unclipped());
    EXPECT_NEAR(weight.item<double>(), twin.weight, 1e-6);
  }
}

TEST(Optimizer, RatesOfDecayOfMambasDoNotDecayThemselves) {
  constexpr const char* kBlock = "unet.middle_block.2.transformer_blocks.0.mamba.";
  for (const char* last : {"A_log", "A_b_log", "D", "D_b", "in_proj.weight"}) {
    const bool decays = std::string(last) == "in_proj.weight";
    at::Tensor weight = at::full({1}, 0.7);
    at::Tensor usual = at::full({1}, 0.7);
    Optimizer optimizer({{std::string(kBlock) + last, weight}, {"w", usual}}, unclipped());
    OptimizerOptions options = unclipped();
    if (!decays) options.weight_decay = 0;
    AdamWByHand twin{weight.item<double>()};
    AdamWByHand usual_twin{weight.item<double>()};
    for (const double gradient : {0.5, -1.5, 0.25}) {
      optimizer.zero_gradients();
      weight.mutable_grad() = at::full({1}, gradient);
      usual.mutable_grad() = at::full({1}, gradient);
      optimizer.step(0.1, 1);
      twin.step(gradient, 0.1, options);
      usual_twin.step(gradient, 0.1, unclipped());
    }
    EXPECT_NEAR(weight.item<double>(), twin.weight, 1e-6) << last;
    EXPECT_NEAR(usual.item<double>(), usual_twin.weight, 1e-6) << last;
  }
}

TEST(Optimizer, ClipsTheNormOfAllGradientsTogether) {
  OptimizerOptions options = unclipped();
  options.clip_norm = 1;
  at::Tensor a = at::zeros({1});
  at::Tensor b = at::zeros({1});
  Optimizer optimizer({{"a", a}, {"b", b}}, options);
  a.mutable_grad() = at::full({1}, 3.0);
  b.mutable_grad() = at::full({1}, 4.0);
  EXPECT_NEAR(optimizer.step(0.01, 1), 5, 1e-6);
  for (const NamedTensor& tensor : optimizer.state()) {
    if (!tensor.name.starts_with("first_moment/")) continue;
    const double gradient = tensor.name.ends_with('a') ? 3.0 : 4.0;
    EXPECT_NEAR(tensor.tensor.item<double>(), 0.1 * gradient / 5, 1e-6);
  }
}

TEST(Optimizer, LeavesTheWeightsAloneWhenGradientsAreNoNumbers) {
  at::Tensor weight = at::full({1}, 0.7);
  Optimizer optimizer({{"w", weight}}, unclipped());
  weight.mutable_grad() = at::full({1}, std::nan(""));
  EXPECT_FALSE(std::isfinite(optimizer.step(0.01, 1)));
  EXPECT_FLOAT_EQ(weight.item<float>(), 0.7F);
}

TEST(Optimizer, SmallUpdatesOfShortNumbersAddUp) {
  OptimizerOptions options = unclipped();
  options.weight_decay = 0;
  at::Tensor weight = at::full({1}, 1.0, at::kBFloat16);
  Optimizer optimizer({{"w", weight}}, options);
  // Each update is 1e-4; bf16 has steps of 0.004 below 1.
  for (int i = 0; i < 100; ++i) {
    optimizer.zero_gradients();
    weight.mutable_grad() = at::full({1}, 1.0, at::kBFloat16);
    optimizer.step(1e-4, 1);
  }
  EXPECT_NEAR(weight.item<double>(), 0.99, 0.004);
}

TEST(Optimizer, MastersBeginWithWhatTheParametersAreRoundingsOf) {
  const at::Tensor exact = at::full({1}, 1.003);
  const at::Tensor weight = exact.to(at::kBFloat16);
  ASSERT_NE(weight.item<double>(), exact.item<double>());
  const Optimizer optimizer({{"w", weight}}, unclipped(), {{"w", exact}});
  for (const NamedTensor& tensor : optimizer.state()) {
    if (tensor.name == "weight/w" || tensor.name == "averaged/w") {
      EXPECT_TRUE(at::equal(tensor.tensor, exact)) << tensor.name;
    }
  }
}

TEST(Optimizer, AveragesAndExchanges) {
  OptimizerOptions options = unclipped();
  at::Tensor weight = at::full({1}, 1.0);
  Optimizer optimizer({{"w", weight}}, options);
  double average = 1;
  for (int i = 1; i <= 5; ++i) {
    optimizer.zero_gradients();
    weight.mutable_grad() = at::full({1}, 1.0);
    optimizer.step(0.1, 1);
    const double decay = std::min(0.5, (1.0 + i) / (10.0 + i));
    average = decay * average + (1 - decay) * weight.item<double>();
  }
  const auto current = weight.item<double>();
  optimizer.exchange_averaged();
  EXPECT_NEAR(weight.item<double>(), average, 1e-6);
  optimizer.exchange_averaged();
  EXPECT_DOUBLE_EQ(weight.item<double>(), current);
}

TEST(LearningRate, WarmsUpStaysAndFallsAlongACosine) {
  OptimizerOptions options;
  options.learning_rate = 1;
  options.warmup_steps = 10;
  options.decay_from = 0.5;
  options.last_learning_rate = 0.1;
  EXPECT_DOUBLE_EQ(options.learning_rate_at(0, 100), 0.1);
  EXPECT_DOUBLE_EQ(options.learning_rate_at(9, 100), 1);
  EXPECT_DOUBLE_EQ(options.learning_rate_at(50, 100), 1);
  EXPECT_NEAR(options.learning_rate_at(75, 100), 0.55, 1e-12);
  EXPECT_NEAR(options.learning_rate_at(100, 100), 0.1, 1e-12);
}

TEST(OptimizerOptions, RefusesNonsense) {
  OptimizerOptions options;
  options.learning_rate = 0;
  EXPECT_THROW(options.check(), Error);
  options = {};
  options.ema_decay = 1;
  EXPECT_THROW(options.check(), Error);
}

}  // namespace
}  // namespace unianimate::training
