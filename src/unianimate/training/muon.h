// Muon's update of a matrix: momentum made orthogonal.
#pragma once

#include <ATen/ATen.h>

#include <string_view>

namespace unianimate::training {

/// Whether Muon updates this parameter: what multiplies features as a matrix, convolutions as one of (out, in · kh ·
/// kw). What has a side shorter than 16 (where latents and pictures enter and leave), vectors, embeddings of positions
/// and a Mamba's rates of decay are left to AdamW.
[[nodiscard]] bool is_updated_by_muon(std::string_view name, const at::Tensor& parameter);

/// An orthogonal matrix near U·Vᵀ of the matrix U·S·Vᵀ, by five steps of Newton and Schulz whose coefficients bring
/// singular values between 0.7 and 1.2 instead of to 1 (Jordan et al., 2024,
/// https://kellerjordan.github.io/posts/muon). Of two dimensions, not empty; zeros stay zeros.
[[nodiscard]] at::Tensor orthogonalized(const at::Tensor& matrix);

/// One update in place: momentum ← μ · momentum + (1 − μ) · gradient; with Nesterov's look ahead it is made orthogonal
/// and, so that learning rate and weight decay are those of AdamW, scaled by 0.2 · √(longer side) (Liu et al., 2025,
/// arXiv 2502.16982). `weight`, `momentum` and `gradient` have the same shape.
void muon_step(at::Tensor& weight, at::Tensor& momentum, const at::Tensor& gradient, double learning_rate,
               double weight_decay);

}  // namespace unianimate::training
