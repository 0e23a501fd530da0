// The kernels of cards on the CPU: against the definitions, these against ATen, and with faults that have to be
// noticed.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "nn/ops/cuda/host_execution.h"
#include "nn/ops/cuda/kernel_properties.h"
#include "nn/ops/cuda/references.h"
#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/nn/ops/cuda/attention_kernel.h"
#include "unianimate/nn/ops/cuda/causal_convolution_kernel.h"
#include "unianimate/nn/ops/cuda/gated_gelu_kernel.h"
#include "unianimate/nn/ops/cuda/group_norm_kernel.h"
#include "unianimate/nn/ops/cuda/layer_norm_kernel.h"
#include "unianimate/nn/ops/cuda/residual_kernel.h"
#include "unianimate/nn/ops/cuda/selective_scan_kernel.h"

namespace unianimate::testing {
namespace {

using nn::KernelElement;

/// The CPU's memory, with NaN on both sides of every buffer.
class HostBackend : public KernelBackend {
 public:
  /// `faulty`: which launch of an operation has the fault.
  explicit HostBackend(Fault fault = Fault::kNone, int faulty = 0) : fault_(fault), faulty_(faulty) {}

  std::byte* upload(const std::vector<std::byte>& bytes) override {
    auto& buffer =
        buffers_.emplace_back(Buffer{std::vector<Line>(2 * kGuard + bytes.size() / sizeof(Line) + 1), bytes.size()});
    std::memset(buffer.lines.data(), kPoison, buffer.lines.size() * sizeof(Line));
    std::ranges::copy(bytes, buffer.begin());
    return buffer.begin();
  }
  std::vector<std::byte> download(const std::byte* buffer, std::size_t bytes) override {
    return {buffer, buffer + bytes};
  }
  std::string release() override {
    bool is_clean = true;
    for (Buffer& buffer : buffers_) {
      const auto* const first = reinterpret_cast<std::byte*>(buffer.lines.data());
      const auto is_poison = [](std::byte b) { return b == std::byte{kPoison}; };
      is_clean = is_clean && std::all_of(first, static_cast<const std::byte*>(buffer.begin()), is_poison) &&
                 std::all_of(buffer.begin() + buffer.bytes,
                             reinterpret_cast<std::byte*>(buffer.lines.data() + buffer.lines.size()), is_poison);
    }
    buffers_.clear();
    return is_clean ? "" : "something is written beside a buffer";
  }

  bool takes_attention(KernelElement element, const nn::AttentionProblem& problem) override {
    return nn::takes_short_attention(problem, element == KernelElement::kFloat ? sizeof(float) : sizeof(nn::Half));
  }
  std::string attention(KernelElement element, const nn::AttentionProblem& problem) override {
    HostLauncher launcher(fault_, faulty_);
    nn::with_element(element, [&](auto zero) { nn::launch_attention<decltype(zero)>(problem, launcher); });
    return launcher.problem();
  }
  std::string group_norm(KernelElement element, const nn::GroupNormProblem& problem) override {
    HostLauncher launcher(fault_, faulty_);
    std::byte* const scratch = upload(
        std::vector<std::byte>(static_cast<std::size_t>(nn::group_norm_scratch_bytes(problem)), std::byte{kPoison}));
    nn::with_element(element, [&](auto zero) { nn::launch_group_norm<decltype(zero)>(problem, scratch, launcher); });
    return launcher.problem();
  }
  std::string gated_gelu(KernelElement element, const nn::GatedGeluProblem& problem) override {
    HostLauncher launcher(fault_, faulty_);
    nn::with_element(element, [&](auto zero) { nn::launch_gated_gelu<decltype(zero)>(problem, launcher); });
    return launcher.problem();
  }
  std::string layer_norm(KernelElement element, const nn::LayerNormProblem& problem) override {
    HostLauncher launcher(fault_, faulty_);
    nn::with_element(element, [&](auto zero) { nn::launch_layer_norm<decltype(zero)>(problem, launcher); });
    return launcher.problem();
  }
  std::string residual(KernelElement element, const nn::ResidualProblem& problem) override {
    HostLauncher launcher(fault_, faulty_);
    nn::with_element(element, [&](auto zero) { nn::launch_residual<decltype(zero)>(problem, launcher); });
    return launcher.problem();
  }
  std::string causal_convolution(KernelElement element, const nn::CausalConvolutionProblem& problem) override {
    HostLauncher launcher(fault_, faulty_);
    nn::with_element(element, [&](auto zero) { nn::launch_causal_convolution<decltype(zero)>(problem, launcher); });
    return launcher.problem();
  }
  std::string selective_scan(KernelElement element, const nn::SelectiveScanProblem& problem) override {
    HostLauncher launcher(fault_, faulty_);
    nn::with_element(element, [&](auto zero) { nn::launch_selective_scan<decltype(zero)>(problem, launcher); });
    return launcher.problem();
  }

 private:
  static constexpr int kPoison = 0xFF;
  static constexpr std::size_t kGuard = 32;  // lines
  struct alignas(nn::kPackBytes) Line {
    std::byte bytes[nn::kPackBytes];
  };
  struct Buffer {
    std::vector<Line> lines;
    std::size_t bytes;
    std::byte* begin() { return lines[kGuard].bytes; }
  };

  std::vector<Buffer> buffers_;
  Fault fault_;
  int faulty_;
};

TEST(CudaKernels, ComputeTheirDefinitions) {
  for (const KernelProperty& property : kernel_properties()) {
    HostBackend backend;
    EXPECT_EQ(property.check(backend), "") << property.kernel << ": " << property.name;
  }
}

/// Whether a property of a kernel does not hold with this fault in its launch number `faulty`.
bool is_noticed(const std::string& kernel, Fault fault, int faulty) {
  return std::ranges::any_of(kernel_properties(), [&](const KernelProperty& property) {
    HostBackend backend(fault, faulty);
    return property.kernel == kernel && !property.check(backend).empty();
  });
}

TEST(CudaKernels, EveryBarrierIsNeeded) {
  EXPECT_TRUE(is_noticed("attention", Fault::kNoBarrier, 0));
  EXPECT_TRUE(is_noticed("group_norm", Fault::kNoBarrier, 0)) << "sums";
  EXPECT_TRUE(is_noticed("group_norm", Fault::kNoBarrier, 1)) << "statistics";
}

TEST(CudaKernels, ExchangesBetweenThreadsAreNeeded) {
  EXPECT_TRUE(is_noticed("attention", Fault::kDeafShuffle, 0));
  EXPECT_TRUE(is_noticed("group_norm", Fault::kDeafShuffle, 1));
  EXPECT_TRUE(is_noticed("layer_norm", Fault::kDeafShuffle, 0));
}

TEST(CudaKernels, WrongStridesAreNoticed) {
  EXPECT_TRUE(is_noticed("attention", Fault::kWrongStride, 0));
  EXPECT_TRUE(is_noticed("gated_gelu", Fault::kWrongStride, 0));
  EXPECT_TRUE(is_noticed("group_norm", Fault::kWrongStride, 0)) << "sums";
  EXPECT_TRUE(is_noticed("group_norm", Fault::kWrongStride, 2)) << "result";
  EXPECT_TRUE(is_noticed("layer_norm", Fault::kWrongStride, 0));
  EXPECT_TRUE(is_noticed("residual", Fault::kWrongStride, 0));
  EXPECT_TRUE(is_noticed("causal_convolution", Fault::kWrongStride, 0));
  EXPECT_TRUE(is_noticed("selective_scan", Fault::kWrongStride, 0));
}

Numbers numbers_of(const at::Tensor& x) {
  const at::Tensor dense = x.to(at::kDouble).contiguous();
  return {dense.data_ptr<double>(), dense.data_ptr<double>() + dense.numel()};
}

at::Tensor tensor_of(const Numbers& numbers, at::IntArrayRef shape) {
  return at::tensor(numbers, at::kDouble).view(shape);
}

TEST(References, AreATensInDouble) {
  const at::Tensor clip = rule_input("clip", {7, 3, 2, 8}).to(at::kDouble);
  const nn::AttentionOperand along{nullptr, 16, 48, 8};
  const at::Tensor frames_second = clip.permute({1, 2, 0, 3});
  const at::Tensor attended = at::scaled_dot_product_attention(frames_second, frames_second, frames_second);
  const Numbers own = attention_reference({3, 7, 7, 2, 8, 1 / std::sqrt(8.0F), along, along, along, {}},
                                          numbers_of(clip), numbers_of(clip), numbers_of(clip));
  EXPECT_LE(relative_error(tensor_of(own, {3, 7, 2, 8}), attended.transpose(1, 2)), 1e-7);  // the scale is a float

  const at::Tensor x = rule_input("x", {2, 5, 6}).to(at::kDouble);
  const at::Tensor weight = rule_input("weight", {6}).to(at::kDouble);
  const at::Tensor bias = rule_input("bias", {6}).to(at::kDouble);
  const at::Tensor normed = at::silu(at::group_norm(x.transpose(1, 2), 3, weight, bias, 1e-5)).transpose(1, 2);
  const Numbers own_normed = group_norm_reference({2, 5, 6, 3, 1e-5, true, nullptr, nullptr, nullptr, nullptr},
                                                  numbers_of(x), numbers_of(weight), numbers_of(bias));
  EXPECT_LE(relative_error(tensor_of(own_normed, {2, 5, 6}), normed), 1e-12);

  const at::Tensor shift = rule_input("shift", {1, 1, 6}).to(at::kDouble);
  const at::Tensor of_shifted = at::group_norm((x + shift).transpose(1, 2), 3, weight, bias, 1e-5).transpose(1, 2);
  const Numbers own_shifted =
      group_norm_reference({2, 5, 6, 3, 1e-5, false, nullptr, nullptr, nullptr, nullptr, nullptr, 2}, numbers_of(x),
                           numbers_of(weight), numbers_of(bias), numbers_of(shift));
  EXPECT_LE(relative_error(tensor_of(own_shifted, {2, 5, 6}), of_shifted), 1e-12);

  const Numbers own_layer = layer_norm_reference({10, 6, 1e-5, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr},
                                                 numbers_of(x), numbers_of(weight), numbers_of(bias));
  EXPECT_LE(relative_error(tensor_of(own_layer, {2, 5, 6}), at::layer_norm(x, {6}, weight, bias, 1e-5)), 1e-12);

  const std::vector<at::Tensor> halves = x.chunk(2, -1);
  const Numbers own_gated = gated_gelu_reference({10, 3, nullptr, nullptr}, numbers_of(x));
  EXPECT_LE(relative_error(tensor_of(own_gated, {2, 5, 3}), halves[0] * at::gelu(halves[1])), 1e-12);
}

TEST(HostNumbers, AreATens) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const auto pattern = static_cast<std::uint16_t>(bits);
    const float half = to_float(nn::Half{pattern});
    const auto aten_half = static_cast<float>(c10::Half(pattern, c10::Half::from_bits()));
    ASSERT_TRUE(half == aten_half || (std::isnan(half) && std::isnan(aten_half))) << bits;
    // Numbers between, above and at each half, and their rounding.
    for (const float x : {half, half * 1.00024F, half * 1.0007F, half * 0.99F}) {
      if (!std::isnan(x)) {
        ASSERT_EQ(half_of(x).bits, c10::Half(x).x) << x;
        ASSERT_EQ(bfloat16_of(x).bits, c10::BFloat16(x).x) << x;
      }
    }
  }
}

TEST(HostExecution, TellsOfABarrierThatNotAllThreadsComeTo) {
  HostBlock block(1);
  const std::string problem = block.run(0, 64, 0, Fault::kNone, [](HostExecution& execution) {
    if (execution.thread() != 5) execution.barrier();
  });
  EXPECT_NE(problem.find("not all threads"), std::string::npos) << problem;
}

TEST(HostExecution, TellsOfMemoryBeyondTheBlocksOwn) {
  HostBlock block(1);
  const std::string problem = block.run(0, 32, 16, Fault::kNone, [](HostExecution& execution) {
    if (execution.thread() == 3) execution.shared()[16] = std::byte{0};
  });
  EXPECT_NE(problem.find("beyond its end"), std::string::npos) << problem;
}

TEST(HostExecution, TellsOfAPackThatDoesNotBeginAtAMultiple) {
  HostBlock block(1);
  const std::string problem = block.run(0, 32, 64, Fault::kNone, [](HostExecution& execution) {
    execution.load<nn::Pack<float, 4>>(reinterpret_cast<float*>(execution.shared()) + 1);
  });
  EXPECT_NE(problem.find("no multiple"), std::string::npos) << problem;
}

TEST(HostExecution, SharedMemoryHoldsNanUntilItIsWritten) {
  HostBlock block(1);
  block.run(0, 32, sizeof(float), Fault::kNone, [](HostExecution& execution) {
    float first = 0;
    std::memcpy(&first, execution.shared(), sizeof(first));
    EXPECT_TRUE(std::isnan(first));
  });
}

}  // namespace
}  // namespace unianimate::testing
