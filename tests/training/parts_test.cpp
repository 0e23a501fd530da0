// Order of material, first weights, low-rank corrections.
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <set>
#include <thread>

#include "support/rule.h"
#include "unianimate/core/error.h"
#include "unianimate/models/unet/unet.h"
#include "unianimate/training/batch_order.h"
#include "unianimate/training/footage_ahead.h"
#include "unianimate/training/initialisation.h"
#include "unianimate/training/lora_adapters.h"

namespace unianimate::training {
namespace {

models::UNetConfig tiny_unet() {
  models::UNetConfig config;
  config.dim = 8;
  config.dim_mult = {1, 2};
  config.num_res_blocks = 1;
  config.head_dim = 4;
  config.num_heads = 2;
  config.context_dim = 8;
  config.num_tokens = 2;
  config.concat_dim = 4;
  config.norm_groups = 4;
  return config;
}

TEST(BatchOrder, GoesThroughEverythingOnceARoundInAnotherOrderEachTime) {
  BatchOrder order(20, 2, 2, 7);
  std::multiset<std::int64_t> seen;
  std::vector<std::int64_t> first_round;
  std::vector<std::int64_t> second_round;
  for (std::int64_t m = 0; m < 20; ++m) {
    for (const std::int64_t item : order.items_of(m)) {
      EXPECT_EQ(item % 2, m % 2) << "a part has its own items";
      seen.insert(item);
      (m < 10 ? first_round : second_round).push_back(item);
    }
  }
  for (std::int64_t item = 0; item < 20; ++item) EXPECT_EQ(seen.count(item), 2U);
  EXPECT_NE(first_round, second_round);
  EXPECT_EQ(BatchOrder(20, 2, 2, 7).items_of(13), order.items_of(13)) << "whatever was asked for before";
  EXPECT_THROW(BatchOrder(3, 2, 2, 7), Error);
}

/// Item i is i pictures of nothing; number 13 cannot be made.
class Blank : public FootageSource {
 public:
  [[nodiscard]] std::int64_t size() const override { return 100; }
  [[nodiscard]] Footage load(std::int64_t index) const override {
    if (index == 13) throw Error(ErrorKind::kInput, "item 13");
    {
      const std::scoped_lock lock(mutex_);
      makers_.insert(std::this_thread::get_id());
      ++made_;
    }
    return {at::zeros({index, 1, 1, 3}, at::kByte), {}, {}, index};
  }
  [[nodiscard]] std::string description() const override { return "blank"; }

  [[nodiscard]] int made() const { return made_; }
  [[nodiscard]] bool made_here() const { return makers_.contains(std::this_thread::get_id()); }

 private:
  mutable std::mutex mutex_;
  mutable std::set<std::thread::id> makers_;
  mutable int made_ = 0;
};

TEST(FootageAhead, IsMadeOnceByOtherThreadsAndGivenWhenItIsAskedFor) {
  const Blank source;
  {
    FootageAhead ahead(source, 2);
    for (const std::int64_t index : {3, 5, 7, 13, 3, 5}) ahead.expect(index);
    for (const std::int64_t index : {7, 3, 5}) EXPECT_EQ(ahead.load(index).moments(), index);
    EXPECT_FALSE(source.made_here());
    EXPECT_THROW(static_cast<void>(ahead.load(13)), Error);
    EXPECT_EQ(ahead.load(4).moments(), 4) << "what nobody expected is made now";
    EXPECT_TRUE(source.made_here());
    ahead.expect(8);  // and never asked for
  }
  EXPECT_GE(source.made(), 4);
  EXPECT_LE(source.made(), 5);
}

TEST(FootageAhead, WithoutThreadsExpectsNothing) {
  const Blank source;
  FootageAhead ahead(source, 0);
  ahead.expect(6);
  EXPECT_EQ(source.made(), 0);
  EXPECT_EQ(ahead.load(6).moments(), 6);
  EXPECT_TRUE(source.made_here());
}

TEST(Initialisation, IsPyTorchsWithZerosAtTheEndsOfResidualBranches) {
  const models::UNet unet(tiny_unet(), at::TensorOptions());
  initialise_unet(unet.named_parameters(), 3);
  for (const auto& [name, tensor] : unet.named_parameters()) {
    const bool zero = name == "out.2.weight" || name.find("proj_out") != std::string::npos ||
                      name.find("out_layers.3") != std::string::npos || name.find("conv4.3") != std::string::npos;
    if (zero) {
      EXPECT_EQ(tensor.abs().max().item<float>(), 0) << name;
    } else if (tensor.dim() > 1) {
      const double bound = 1 / std::sqrt(static_cast<double>(tensor.numel()) / static_cast<double>(tensor.size(0)));
      EXPECT_LE(tensor.abs().max().item<double>(), bound) << name;
      if (tensor.numel() < 100) continue;
      EXPECT_NEAR(tensor.std().item<double>(), bound / std::sqrt(3.0), 0.2 * bound) << name;
    }
  }
}

TEST(Initialisation, AnUntrainedUNetPredictsNothingYet) {
  const c10::InferenceMode inference;
  const models::UNet unet(tiny_unet(), at::TensorOptions());
  initialise_unet(unet.named_parameters(), 3);
  const auto encoded = unet.encode({}, at::zeros({1, 4, 8}), {1, 2, 4, 4});
  const at::Tensor v = unet(at::ones({1, 4, 2, 4, 4}), at::zeros({1}, at::kLong), encoded);
  EXPECT_LT((v - v.mean({0, 2, 3, 4}, true)).abs().max().item<double>(), 1e-6) << "only the bias of the last layer";
}

models::UNetConfig tiny_mamba() {
  models::UNetConfig config = tiny_unet();
  config.temporal = models::TemporalKind::kMamba;
  config.d_state = 4;
  return config;
}

TEST(Initialisation, OfMambasIsThatOfTheirAuthors) {
  const models::UNet unet(tiny_mamba(), at::TensorOptions());
  initialise_unet(unet.named_parameters(), 3);
  at::Tensor steps;
  for (const auto& [name, tensor] : unet.named_parameters()) {
    if (name.ends_with("_log")) {
      EXPECT_LE((tensor.exp() - at::arange(1, 5)).abs().max().item<double>(), 1e-5) << name;
    } else if (name.ends_with(".D") || name.ends_with(".D_b")) {
      EXPECT_TRUE(at::equal(tensor, at::ones_like(tensor))) << name;
    } else if (name.ends_with("dt_proj.bias") || name.ends_with("dt_proj_b.bias")) {
      const at::Tensor some = at::softplus(tensor.to(at::kDouble)).log();
      steps = steps.defined() ? at::cat({steps, some}) : some;
    } else if (name.ends_with("conv1d.weight") || name.ends_with("conv1d_b.bias")) {
      EXPECT_LE(tensor.abs().max().item<double>(), 0.5) << name;
      EXPECT_GT(tensor.abs().max().item<double>(), 0.3) << name;
    }
  }
  EXPECT_GE(steps.min().item<double>(), std::log(0.001) - 1e-4);
  EXPECT_LE(steps.max().item<double>(), std::log(0.1) + 1e-4);
  EXPECT_NEAR(steps.mean().item<double>(), 0.5 * (std::log(0.001) + std::log(0.1)), 0.4) << "evenly in the logarithm";
}

TEST(Initialisation, MambasInPlaceOfAttentionAddNothingYet) {
  const models::UNet transformer(tiny_unet(), at::TensorOptions());
  const models::UNet unet(tiny_mamba(), at::TensorOptions());
  testing::fill_by_rule(transformer.named_parameters());
  put_mamba_in_place_of_attention(unet.named_parameters(), transformer.named_parameters(), 3);
  const c10::InferenceMode inference;
  const auto predict = [](const models::UNet& model) {
    return model(testing::rule_input("x", {1, 4, 3, 4, 4}), at::full({1}, 500, at::kLong),
                 model.encode({}, testing::rule_input("zero_y", {1, 4, 8}), {1, 3, 4, 4}));
  };
  const at::Tensor found = predict(unet);
  EXPECT_GT((found - predict(transformer)).abs().max().item<double>(), 1e-3) << "the attentions are missing";
  // The twin: a transformer whose temporal attentions come to nothing.
  std::set<std::string> blocks;
  for (const auto& [name, tensor] : unet.named_parameters()) {
    if (const std::size_t at = name.find("mamba."); at != std::string::npos) blocks.insert(name.substr(0, at));
  }
  for (const auto& [name, tensor] : transformer.named_parameters()) {
    const std::size_t at = name.find("attn");
    const bool temporal = at != std::string::npos && blocks.contains(name.substr(0, at));
    if (temporal && name.find(".to_out.0.") != std::string::npos) tensor.zero_();
  }
  EXPECT_TRUE(at::allclose(found, predict(transformer), 1e-5, 1e-5));
}

TEST(LoraAdapters, GradientsFollowFromThoseOfTheMatrix) {
  at::Tensor weight = testing::rule_input("weight", {6, 5}).to(at::kFloat);
  const std::string name = "input_blocks.1.1.transformer_blocks.0.attn1.to_q";
  const LoraAdapters adapters({{name + ".weight", weight}}, {.rank = 2, .alpha = 3}, 1);
  const NamedTensors pair = adapters.parameters();
  const at::Tensor down = pair[0].tensor;
  const at::Tensor up = pair[1].tensor;
  up.copy_(testing::rule_input("up", {6, 2}));
  adapters.apply();
  const at::Tensor x = testing::rule_input("x", {4, 5}).to(at::kFloat);
  at::linear(x, weight).sin().sum().backward();
  adapters.collect_gradients();

  const at::Tensor base = testing::rule_input("weight", {6, 5}).to(at::kFloat);
  at::Tensor free_down = down.detach().clone().set_requires_grad(true);
  at::Tensor free_up = up.detach().clone().set_requires_grad(true);
  at::linear(x, base + 1.5 * at::mm(free_up, free_down)).sin().sum().backward();
  EXPECT_TRUE(at::allclose(down.grad(), free_down.grad(), 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(up.grad(), free_up.grad(), 1e-4, 1e-5));
  EXPECT_FALSE(weight.grad().defined());
}

TEST(LoraAdapters, FullRankMovesTheMatrixAsItsOwnGradientWould) {
  // With orthogonal down the step  W − r·(G downᵀ) down  is  W − r·G.
  const std::string name = "middle_block.1.transformer_blocks.0.ff.net.2";
  at::Tensor weight = testing::rule_input("weight", {5, 5}).to(at::kFloat);
  const at::Tensor before = weight.clone();
  const LoraAdapters adapters({{name + ".weight", weight}}, {.rank = 5}, 1);
  const NamedTensors pair = adapters.parameters();
  pair[0].tensor.copy_(std::get<0>(at::linalg_qr(testing::rule_input("q", {5, 5}).to(at::kFloat))));
  const at::Tensor gradient = testing::rule_input("g", {5, 5}).to(at::kFloat);
  weight.mutable_grad() = gradient.clone();
  adapters.collect_gradients();
  constexpr double kRate = 0.1;
  pair[1].tensor.sub_(pair[1].tensor.grad(), kRate);
  adapters.apply();
  EXPECT_TRUE(at::allclose(weight.detach(), before - kRate * gradient, 1e-4, 1e-5));
}

TEST(LoraAdapters, TakeTheMatricesOfMambas) {
  const models::UNet unet(tiny_mamba(), at::TensorOptions());
  initialise_unet(unet.named_parameters(), 3);
  const LoraAdapters adapters(unet.named_parameters(), {.rank = 4}, 1);
  for (const auto& [name, tensor] : unet.named_parameters()) {
    if (name.find(".mamba.") == std::string::npos) continue;
    const bool projection = name.find("in_proj.") != std::string::npos || name.find("out_proj.") != std::string::npos ||
                            name.find(".x_proj") != std::string::npos;
    EXPECT_EQ(tensor.requires_grad(), projection) << name;
  }
}

TEST(LoraAdapters, TakeTheTransformersMatricesAlone) {
  const models::UNet unet(tiny_unet(), at::TensorOptions());
  initialise_unet(unet.named_parameters(), 3);
  const LoraAdapters adapters(unet.named_parameters(), {.rank = 4}, 1);
  EXPECT_GT(adapters.parameters().size(), 20U);
  for (const auto& [name, tensor] : unet.named_parameters()) {
    if (name.find("transformer_blocks") == std::string::npos && name.find("proj_") == std::string::npos) {
      EXPECT_FALSE(tensor.requires_grad()) << name;
    }
  }
}

TEST(Recompute, GivesTheSameGradientsWithAndWithout) {
  models::UNet unet(tiny_unet(), at::TensorOptions().dtype(at::kDouble));
  testing::fill_by_rule(unet.named_parameters());
  std::vector<std::vector<at::Tensor>> gradients;
  for (const bool recompute : {false, true}) {
    unet.set_recompute(recompute);
    for (auto& [name, tensor] : unet.named_parameters()) {
      tensor.set_requires_grad(true);
      tensor.mutable_grad().reset();
    }
    models::UNetConditions conditions;
    conditions.image = testing::rule_input("image", {1, 1, 8}).to(at::kDouble);
    const auto encoded =
        unet.encode(conditions, testing::rule_input("prompt", {1, 4, 8}).to(at::kDouble), {1, 2, 4, 4});
    const at::Tensor x = testing::rule_input("x", {1, 4, 2, 4, 4}).to(at::kDouble);
    unet(x, at::full({1}, 500, at::kLong), encoded).square().sum().backward();
    auto& found = gradients.emplace_back();
    for (auto& [name, tensor] : unet.named_parameters()) found.push_back(tensor.grad());
  }
  std::size_t compared = 0;
  for (std::size_t i = 0; i < gradients[0].size(); ++i) {
    ASSERT_EQ(gradients[0][i].defined(), gradients[1][i].defined());
    if (!gradients[0][i].defined()) continue;
    EXPECT_TRUE(at::allclose(gradients[0][i], gradients[1][i], 1e-9, 1e-12));
    ++compared;
  }
  EXPECT_GT(compared, 100U);
}

}  // namespace
}  // namespace unianimate::training
