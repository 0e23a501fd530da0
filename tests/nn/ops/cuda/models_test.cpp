// Whole models with the kernels of cards in the place of the processor's own, on the CPU.
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "nn/ops/cuda/host_execution.h"
#include "support/golden_file.h"
#include "support/rule.h"
#include "support/rule_models.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/unet/unet.h"
#include "unianimate/nn/ops/cuda/attention_kernel.h"
#include "unianimate/nn/ops/cuda/causal_convolution_kernel.h"
#include "unianimate/nn/ops/cuda/gated_gelu_kernel.h"
#include "unianimate/nn/ops/cuda/group_norm_kernel.h"
#include "unianimate/nn/ops/cuda/layer_norm_kernel.h"
#include "unianimate/nn/ops/cuda/residual_kernel.h"
#include "unianimate/nn/ops/cuda/selective_scan_kernel.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::testing {
namespace {

constexpr auto kCpu = static_cast<nn::KernelDevice>(at::kCPU);

int attention_calls = 0;
int layer_norm_calls = 0;
int residual_calls = 0;
int shifted_calls = 0;
int scan_calls = 0;

void attention(const nn::AttentionProblem& problem, const nn::ParallelFor& /*parallel_for*/) {
  ++attention_calls;
  HostLauncher launcher;
  nn::launch_attention<float>(problem, launcher);
  EXPECT_EQ(launcher.problem(), "");
}

void group_norm(const nn::GroupNormProblem& problem, const nn::ParallelFor& /*parallel_for*/) {
  shifted_calls += problem.shift != nullptr ? 1 : 0;
  HostLauncher launcher;
  std::vector<double> scratch(static_cast<std::size_t>(nn::group_norm_scratch_bytes(problem)) / sizeof(double) + 1);
  nn::launch_group_norm<float>(problem, scratch.data(), launcher);
  EXPECT_EQ(launcher.problem(), "");
}

void gated_gelu(const nn::GatedGeluProblem& problem, const nn::ParallelFor& /*parallel_for*/) {
  HostLauncher launcher;
  nn::launch_gated_gelu<float>(problem, launcher);
  EXPECT_EQ(launcher.problem(), "");
}

void layer_norm(const nn::LayerNormProblem& problem, const nn::ParallelFor& /*parallel_for*/) {
  ++layer_norm_calls;
  HostLauncher launcher;
  nn::launch_layer_norm<float>(problem, launcher);
  EXPECT_EQ(launcher.problem(), "");
}

void residual(const nn::ResidualProblem& problem, const nn::ParallelFor& /*parallel_for*/) {
  ++residual_calls;
  HostLauncher launcher;
  nn::launch_residual<float>(problem, launcher);
  EXPECT_EQ(launcher.problem(), "");
}

void causal_convolution(const nn::CausalConvolutionProblem& problem, const nn::ParallelFor& /*parallel_for*/) {
  HostLauncher launcher;
  nn::launch_causal_convolution<float>(problem, launcher);
  EXPECT_EQ(launcher.problem(), "");
}

void selective_scan(const nn::SelectiveScanProblem& problem, const nn::ParallelFor& /*parallel_for*/) {
  ++scan_calls;
  HostLauncher launcher;
  nn::launch_selective_scan<float>(problem, launcher);
  EXPECT_EQ(launcher.problem(), "");
}

/// The kernels of cards take the place of the processor's while it lives.
class CardKernels {
 public:
  CardKernels() : before_(nn::ops_for(at::zeros({1}))) {
    nn::register_ops(
        kCpu, nn::KernelElement::kFloat,
        {.takes_attention =
             [](const nn::AttentionProblem& problem) { return nn::takes_short_attention(problem, sizeof(float)); },
         .attention = attention,
         .group_norm = group_norm,
         .gated_gelu = gated_gelu,
         .layer_norm = layer_norm,
         .residual = residual,
         .causal_convolution = causal_convolution,
         .takes_selective_scan =
             [](const nn::SelectiveScanProblem& problem) { return nn::is_scan_of_kernels(problem.states); },
         .selective_scan = selective_scan});
  }
  ~CardKernels() { nn::register_ops(kCpu, nn::KernelElement::kFloat, before_); }
  CardKernels(const CardKernels&) = delete;
  CardKernels& operator=(const CardKernels&) = delete;

 private:
  nn::Ops before_;
};

class CardKernelsIn : public ::testing::TestWithParam<models::TemporalKind> {};

INSTANTIATE_TEST_SUITE_P(UNets, CardKernelsIn,
                         ::testing::Values(models::TemporalKind::kTransformer, models::TemporalKind::kMamba));

TEST_P(CardKernelsIn, TheUNetComputesTheSame) {
  const c10::InferenceMode inference;
  models::UNetConfig config = tiny_model_configs().unet;
  config.temporal = GetParam();
  const bool mamba = GetParam() == models::TemporalKind::kMamba;
  const models::LatentShape shape{2, 2, config.downscale(), 2 * config.downscale()};
  models::UNet unet(config, at::TensorOptions());
  fill_by_rule(unet.named_parameters());
  const at::Tensor latent = rule_input("x", {shape.batch, 4, shape.frames, shape.height, shape.width});
  const at::Tensor timesteps = at::tensor({700, 200}, at::kLong);
  const auto compute = [&] {
    models::UNetConditions conditions;
    conditions.image = rule_input("image", {shape.batch, 1, config.context_dim});
    conditions.randomref = rule_input("randomref", {shape.batch, 4, 1, shape.height, shape.width});
    return unet(latent, timesteps, unet.encode(conditions, rule_input("zero_y", {1, 77, config.context_dim}), shape));
  };
  const at::Tensor expected = compute();
  attention_calls = layer_norm_calls = residual_calls = shifted_calls = scan_calls = 0;
  const CardKernels kernels;
  EXPECT_LE(relative_error(compute(), expected), 1e-5);
  EXPECT_GT(attention_calls, 0);
  EXPECT_GT(layer_norm_calls, 0);
  EXPECT_GT(residual_calls, 0);
  EXPECT_GT(shifted_calls, 0);
  EXPECT_EQ(scan_calls > 0, mamba);
}

TEST(ModelsWithCardKernels, TheDecoderComputesTheSame) {
  const c10::InferenceMode inference;
  models::Autoencoder autoencoder(tiny_model_configs().autoencoder, at::TensorOptions());
  fill_by_rule(autoencoder.named_parameters());
  const at::Tensor latents = rule_input("latents", {2, 4, 3, 5});
  const at::Tensor expected = autoencoder.decode(latents);
  residual_calls = shifted_calls = 0;
  const CardKernels kernels;
  EXPECT_LE(relative_error(autoencoder.decode(latents), expected), 1e-5);
  EXPECT_GT(residual_calls, 0);
  EXPECT_GT(shifted_calls, 0);
}

}  // namespace
}  // namespace unianimate::testing
