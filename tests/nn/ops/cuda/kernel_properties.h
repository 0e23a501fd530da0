// What kernels of cards have to compute, on whatever runs them: the CPU in the unit tests, a card in kernels_cuda_test.
// Neither libtorch nor GoogleTest is needed.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "unianimate/nn/ops/kernels.h"

namespace unianimate::testing {

/// Memory, and who computes on it. Errors are returned as text, empty where there was none.
class KernelBackend {
 public:
  virtual ~KernelBackend() = default;

  /// A buffer of its own with these bytes, until release().
  virtual std::byte* upload(const std::vector<std::byte>& bytes) = 0;
  virtual std::vector<std::byte> download(const std::byte* buffer, std::size_t bytes) = 0;
  /// Frees all buffers. What is wrong with them: for instance that something was written beside one.
  virtual std::string release() = 0;

  virtual bool takes_attention(nn::KernelElement element, const nn::AttentionProblem& problem) = 0;
  virtual std::string attention(nn::KernelElement element, const nn::AttentionProblem& problem) = 0;
  virtual std::string group_norm(nn::KernelElement element, const nn::GroupNormProblem& problem) = 0;
  virtual std::string gated_gelu(nn::KernelElement element, const nn::GatedGeluProblem& problem) = 0;
  virtual std::string layer_norm(nn::KernelElement element, const nn::LayerNormProblem& problem) = 0;
  virtual std::string residual(nn::KernelElement element, const nn::ResidualProblem& problem) = 0;
  virtual std::string causal_convolution(nn::KernelElement element, const nn::CausalConvolutionProblem& problem) = 0;
  virtual std::string selective_scan(nn::KernelElement element, const nn::SelectiveScanProblem& problem) = 0;
};

struct KernelProperty {
  std::string kernel;  ///< "attention", "group_norm", "gated_gelu", "layer_norm", "residual", …
  std::string name;
  std::function<std::string(KernelBackend& backend)> check;  ///< what is wrong; empty where it holds
};

std::vector<KernelProperty> kernel_properties();

}  // namespace unianimate::testing
