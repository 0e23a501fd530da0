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
Numbers gated_gelu_reference(const nn::GatedGeluProblem& problem, const Numbers& in);

}  // namespace unianimate::testing
