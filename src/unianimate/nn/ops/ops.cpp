#include "unianimate/nn/ops/ops.h"

#include <c10/core/GradMode.h>
#include <cpuid.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "unianimate/nn/ops/avx512.h"
#include "unianimate/nn/ops/in_floats.h"
#include "unianimate/nn/ops/linear.h"

namespace unianimate::nn {

namespace {

using Table = std::map<std::pair<KernelDevice, KernelElement>, Ops>;

const Ops kAten;

constexpr auto kCpu = static_cast<KernelDevice>(at::kCPU);

/// Units that multiply tiles of bf16, many times as quick as those for floats.
bool has_amx_bf16() {
  constexpr unsigned kFeatures = 7;
  constexpr unsigned kAmxBf16 = 1U << 22U;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid_count(kFeatures, 0, &a, &b, &c, &d) != 0 && (d & kAmxBf16) != 0;
}

Table rows_of_this_processor() {
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  // Intel's multiply bf16 at half the rate of floats, AMD's at twice that rate.
  const bool quick_with_bf16 = __builtin_cpu_supports("avx512bf16") && !__builtin_cpu_is("intel");
  Ops fp32{.linear = one_dnn_linear};
  Ops bf16;
  if (avx512) {
    fp32.takes_attention = avx512_takes_attention;
    fp32.attention = avx512_attention_fp32;
    fp32.takes_attention_gradients = avx512_takes_short_attention;
    fp32.attention_gradients = avx512_short_attention_gradients_fp32;
    fp32.group_norm = avx512_group_norm_fp32;
    fp32.group_norm_gradients = avx512_group_norm_gradients_fp32;
    fp32.gated_gelu = avx512_gated_gelu_fp32;
    fp32.gated_gelu_gradients = avx512_gated_gelu_gradients_fp32;
    fp32.layer_norm = avx512_layer_norm_fp32;
    fp32.causal_convolution = avx512_causal_convolution_fp32;
    fp32.takes_selective_scan = avx512_takes_selective_scan;
    fp32.selective_scan = avx512_selective_scan_fp32;
    fp32.selective_scan_gradients = avx512_selective_scan_gradients_fp32;
    bf16.causal_convolution = avx512_causal_convolution_bf16;
    bf16.takes_selective_scan = avx512_takes_selective_scan;
    bf16.selective_scan = avx512_selective_scan_bf16;
    bf16.selective_scan_gradients = avx512_selective_scan_gradients_bf16;
    fp32.value_range = avx512_value_range_fp32;
    fp32.quantize = avx512_quantize_fp32;
    bf16.value_range = avx512_value_range_bf16;
    bf16.quantize = avx512_quantize_bf16;
    bf16.takes_attention_gradients = avx512_takes_short_attention;
    bf16.attention_gradients = avx512_short_attention_gradients_bf16;
    bf16.group_norm = avx512_group_norm_bf16;
    bf16.group_norm_gradients = avx512_group_norm_gradients_bf16;
    bf16.gated_gelu = avx512_gated_gelu_bf16;
    bf16.gated_gelu_gradients = avx512_gated_gelu_gradients_bf16;
    bf16.layer_norm = avx512_layer_norm_bf16;
    bf16.takes_attention = avx512_takes_attention;
    bf16.attention = quick_with_bf16 ? avx512_attention_bf16 : avx512_attention_bf16_widened;
  }
  if (quick_with_bf16 || has_amx_bf16()) {
    bf16.linear = one_dnn_linear;
  } else {
    bf16.linear = linear_in_floats;
    bf16.convolution = convolution_in_floats;
  }
  return {{{kCpu, KernelElement::kFloat}, fp32}, {{kCpu, KernelElement::kBFloat16}, bf16}};
}

Table& table() {
  static Table rows = rows_of_this_processor();
  return rows;
}

std::optional<KernelElement> element_of(const at::Tensor& x) {
  switch (x.scalar_type()) {
    case at::kFloat:
      return KernelElement::kFloat;
    case at::kBFloat16:
      return KernelElement::kBFloat16;
    case at::kHalf:
      return KernelElement::kHalf;
    default:
      return std::nullopt;
  }
}

}  // namespace

void register_ops(KernelDevice device, KernelElement element, const Ops& ops) {
  table()[{device, element}] = ops;
}

const Ops& ops_for(const at::Tensor& x, std::initializer_list<at::Tensor> others) {
  return needs_gradient({x}) || needs_gradient(others) ? kAten : ops_with_gradients_for(x);
}

const Ops& ops_with_gradients_for(const at::Tensor& x) {
  const std::optional<KernelElement> element = element_of(x);
  if (!element || x.numel() == 0) return kAten;
  const auto row = table().find({static_cast<KernelDevice>(x.device().type()), *element});
  return row == table().end() ? kAten : row->second;
}

bool needs_gradient(std::initializer_list<at::Tensor> tensors) {
  return at::GradMode::is_enabled() &&
         std::ranges::any_of(tensors, [](const at::Tensor& x) { return x.defined() && x.requires_grad(); });
}

std::optional<at::Tensor> optional_of(const at::Tensor& x) {
  return x.defined() ? std::optional(x) : std::nullopt;
}

}  // namespace unianimate::nn
