// The definitions of the operations in double, without libtorch, for operands that lie as problems describe them.
#pragma once

#include <vector>

#include "unianimate/nn/ops/kernels.h"

namespace unianimate::testing {

/// The values of a buffer, which the pointers of a problem are the beginnings of.
using Numbers = std::vector<double>;

/// (batch, queries, heads, dim), dense.
Numbers attention_reference(const nn::AttentionProblem& problem, const Numbers& q, const Numbers& k, const Numbers& v);
/// `shift`: empty where the problem has none.
Numbers group_norm_reference(const nn::GroupNormProblem& problem, Numbers x, const Numbers& weight, const Numbers& bias,
                             const Numbers& shift = {});
/// Of a sum that is rounded to the format already.
Numbers layer_norm_reference(const nn::LayerNormProblem& problem, const Numbers& sum, const Numbers& weight,
                             const Numbers& bias);
/// `x` begins with the problem's history.
Numbers causal_convolution_reference(const nn::CausalConvolutionProblem& problem, const Numbers& x,
                                     const Numbers& weight, const Numbers& bias);

/// What a scan sees; `gate` and `start` are empty where the problem has none.
struct ScanNumbers {
  Numbers x, step, b, c, gate, step_bias, a, skip, start;
};
/// `kept`: gets the states after problem.keep_after steps, where that is not 0.
Numbers selective_scan_reference(const nn::SelectiveScanProblem& problem, const ScanNumbers& numbers, Numbers& kept);

Numbers gated_gelu_reference(const nn::GatedGeluProblem& problem, const Numbers& in);

}  // namespace unianimate::testing
