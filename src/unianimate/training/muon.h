// Muon's update of a matrix: momentum made orthogonal.
#pragma once

#include <ATen/ATen.h>

#include <string_view>

namespace unianimate::training {

/// Whether Muon updates this parameter: what multiplies features as a matrix, convolutions as one of (out, in · kh ·
/// kw). Vectors, embeddings of positions, and what has fewer than 16 channels on one side (where latents and pictures
/// enter and leave, and corrections of a lower rank) are left to AdamW; the optimizer leaves it what is exempt from
/// weight decay, too.
[[nodiscard]] bool is_updated_by_muon(std::string_view name, const at::Tensor& parameter);

/// An orthogonal matrix near U·Vᵀ of the matrix U·S·Vᵀ, by five steps of Newton and Schulz whose coefficients bring
/// singular values above 1/500 of the matrix's norm between 0.68 and 1.2 instead of to 1: with each step x ← (a +
/// b·x·xᵀ + c·(x·xᵀ)²)·x (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon). Of two dimensions, not
/// empty; zeros stay zeros. Needs products of 32-bit floats that are not rounded to fewer bits first (TF32).
[[nodiscard]] at::Tensor orthogonalized(const at::Tensor& matrix);

/// One update in place of `weight`, all three tensors 32-bit floats of one shape: momentum ← 0.95 · momentum + 0.05 ·
/// gradient; weight ← (1 − η λ) · weight − η · 0.2 · √(longer side) · orthogonalized(0.05 · gradient + 0.95 ·
/// momentum), with the learning rate η and weight decay λ that AdamW would have (Liu et al., 2025, arXiv 2502.16982).
void muon_step(at::Tensor& weight, at::Tensor& momentum, const at::Tensor& gradient, double learning_rate,
               double weight_decay);

}  // namespace unianimate::training
