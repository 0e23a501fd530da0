// Scaled dot-product attention over sequences that need not lie together in memory.
#pragma once

#include <ATen/ATen.h>

namespace unianimate::nn {

/// softmax(q kᵀ / √D) v for every batch entry and head.
/// q (N, L, heads, D); k, v (N, S, heads, D); any strides with the last axis dense. Returns (N, L, heads, D) in
/// memory order of q. `causal`: position i sees positions 0…i only (L = S).
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal = false);

/// Self-attention along the frames at every pixel: q, k, v (B, F, P, heads, D) -> the same shape, no copies of the
/// inputs.
at::Tensor frame_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

}  // namespace unianimate::nn
