// Runs the kernels on a card, without libtorch, each buffer in an allocation of its own: for compute-sanitizer as well.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <utility>

#include "nn/ops/cuda/kernel_properties.h"
#include "unianimate/nn/ops/cuda/cuda_kernels.h"

namespace unianimate::testing {
namespace {

using nn::KernelElement;

class CardBackend : public KernelBackend {
 public:
  std::byte* upload(const std::vector<std::byte>& bytes) override {
    std::byte* const buffer = allocate(bytes.size());
    keep(cudaMemcpy(buffer, bytes.data(), bytes.size(), cudaMemcpyHostToDevice));
    return buffer;
  }
  std::vector<std::byte> download(const std::byte* buffer, std::size_t bytes) override {
    std::vector<std::byte> result(bytes);
    keep(cudaMemcpy(result.data(), buffer, bytes, cudaMemcpyDeviceToHost));
    return result;
  }
  std::string release() override {
    for (void* const buffer : buffers_) keep(cudaFree(buffer));
    buffers_.clear();
    return take_problem();
  }

  bool takes_attention(KernelElement element, const nn::AttentionProblem& problem) override {
    return nn::cuda_takes_attention(element, problem);
  }
  std::string attention(KernelElement element, const nn::AttentionProblem& problem) override {
    return finish(nn::cuda_attention(element, problem, nullptr));
  }
  std::string group_norm(KernelElement element, const nn::GroupNormProblem& problem) override {
    std::byte* const scratch = allocate(static_cast<std::size_t>(nn::cuda_group_norm_scratch_bytes(problem)));
    return finish(nn::cuda_group_norm(element, problem, scratch, nullptr));
  }
  std::string gated_gelu(KernelElement element, const nn::GatedGeluProblem& problem) override {
    return finish(nn::cuda_gated_gelu(element, problem, nullptr));
  }
  std::string layer_norm(KernelElement element, const nn::LayerNormProblem& problem) override {
    return finish(nn::cuda_layer_norm(element, problem, nullptr));
  }
  std::string residual(KernelElement element, const nn::ResidualProblem& problem) override {
    return finish(nn::cuda_residual(element, problem, nullptr));
  }
  std::string causal_convolution(KernelElement element, const nn::CausalConvolutionProblem& problem) override {
    return finish(nn::cuda_causal_convolution(element, problem, nullptr));
  }
  std::string selective_scan(KernelElement element, const nn::SelectiveScanProblem& problem) override {
    return finish(nn::cuda_selective_scan(element, problem, nullptr));
  }

 private:
  std::byte* allocate(std::size_t bytes) {
    void* buffer = nullptr;
    keep(cudaMalloc(&buffer, bytes));
    buffers_.push_back(buffer);
    return static_cast<std::byte*>(buffer);
  }
  std::string finish(cudaError_t launched) {
    keep(launched);
    keep(cudaDeviceSynchronize());
    return take_problem();
  }
  void keep(cudaError_t status) {
    if (status != cudaSuccess && problem_.empty()) problem_ = cudaGetErrorString(status);
  }
  std::string take_problem() { return std::exchange(problem_, {}); }

  std::vector<void*> buffers_;
  std::string problem_;
};

/// 0 where all hold, 1 where one does not, 77 where there is no card.
int run() {
  constexpr int kSkipped = 77;
  int cards = 0;
  if (const cudaError_t status = cudaGetDeviceCount(&cards); status != cudaSuccess || cards == 0) {
    std::printf("skipped: there is no usable card here (%s)\n", cudaGetErrorString(status));
    return kSkipped;
  }
  int failed = 0;
  const std::vector<KernelProperty> properties = kernel_properties();
  CardBackend backend;
  for (const KernelProperty& property : properties) {
    const std::string problem = property.check(backend);
    if (problem.empty()) continue;
    ++failed;
    std::printf("%s: %s: %s\n", property.kernel.c_str(), property.name.c_str(), problem.c_str());
  }
  std::printf("%zu properties, %d failed\n", properties.size(), failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace unianimate::testing

int main() {
  return unianimate::testing::run();
}
