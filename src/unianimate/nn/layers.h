// Linear, convolution and normalisation layers on channels-last activations.
//
// Every activation is dense with its channels last: pictures and latents (N, h, w, C), clips (B, F, h, w, C).
// Nothing is permuted in a copy. All layers work in the dtype and on the device of their parameters and can be
// differentiated; without gradients the CPU takes faster routes of equal accuracy.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>

#include "unianimate/nn/module.h"
#include "unianimate/nn/ops/layer_norm.h"
#include "unianimate/nn/product.h"

namespace unianimate::nn {

/// y = x Wᵀ + b on the last axis. Parameters: weight (out, in), bias (out) where asked for.
class Linear : public Module {
 public:
  Linear(std::int64_t in, std::int64_t out, bool bias, const at::TensorOptions& options);
  /// (..., in) -> (..., out)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  [[nodiscard]] at::Tensor operator()(const SharedInput& x) const;
  /// The end of a residual branch: the same and what went past it, (..., out).
  [[nodiscard]] at::Tensor plus(const at::Tensor& x, const at::Tensor& residual) const;

 protected:
  /// For a weight of the same values but another registered shape, as (out, in, 1) of a 1-wide convolution.
  Linear(at::IntArrayRef weight_shape, bool bias, const at::TensorOptions& options);

 private:
  std::shared_ptr<Product> product_;
};

/// A convolution of kernel 1 (written with one or two spatial axes in the checkpoint), which is a Linear.
class PointwiseConv : public Linear {
 public:
  /// `spatial_axes`: 1 for weights (out, in, 1), 2 for (out, in, 1, 1).
  PointwiseConv(std::int64_t in, std::int64_t out, int spatial_axes, const at::TensorOptions& options);
};

/// The end of a residual branch. Of the convolution's result nothing may be used afterwards.
at::Tensor operator+(const BeforeBias& convolved, const at::Tensor& residual);

/// 2-D convolution with zero padding. Parameters: weight (out, in, k, k), bias (out) where asked for.
class Conv2d : public Module {
 public:
  struct Shape {
    std::int64_t kernel = 3;
    std::int64_t stride = 1;
    std::int64_t padding = 1;
    bool bias = true;
  };
  Conv2d(std::int64_t in, std::int64_t out, const Shape& shape, const at::TensorOptions& options);
  Conv2d(std::int64_t in, std::int64_t out, const at::TensorOptions& options) : Conv2d(in, out, Shape{}, options) {}
  /// (N, h, w, in) -> (N, h', w', out); a clip (B, F, h, w, in) is convolved frame by frame.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  /// The same, for a normalisation or the end of a residual branch.
  [[nodiscard]] BeforeBias before_bias(const at::Tensor& x) const;
  /// The same of x enlarged by two, each pixel four times: (N, h, w, in) -> (N, 2h, 2w, out). For the shape that is the
  /// default.
  [[nodiscard]] at::Tensor of_upsampled(const at::Tensor& x) const;

 private:
  std::shared_ptr<Product> product_;
};

/// Convolution of kernel 3 over the frames at every pixel, zero padded at both ends.
/// Parameters: weight (out, in, 3, 1, 1), bias (out).
class FrameConv : public Module {
 public:
  FrameConv(std::int64_t in, std::int64_t out, const at::TensorOptions& options);
  /// (B, F, h, w, in) -> (B, F, h, w, out), for a normalisation or the end of a residual branch.
  [[nodiscard]] BeforeBias before_bias(const at::Tensor& x) const;

 private:
  std::shared_ptr<Product> product_;
};

/// Normalisation over groups of channels, optionally followed by SiLU.
/// Parameters: weight (C), bias (C).
class GroupNorm : public Module {
 public:
  GroupNorm(std::int64_t groups, std::int64_t channels, double eps, const at::TensorOptions& options);
  /// Statistics over all but the first axis of (M, ..., C): pass (B·F, h, w, C) to normalise each frame by itself,
  /// (B, F, h, w, C) to normalise the frames of a clip jointly.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  /// silu of the above.
  [[nodiscard]] at::Tensor silu(const at::Tensor& x) const;
  /// The same of a convolution's result, to which `shift` (S, C), where it is defined, is added beforehand: each row
  /// of it to M / S entries of the first axis.
  [[nodiscard]] at::Tensor silu(const BeforeBias& convolved, const at::Tensor& shift = {}) const;

 private:
  at::Tensor weight_;
  at::Tensor bias_;
  std::int64_t groups_;
  double eps_;
};

/// Normalisation over the last axis, eps 1e-5. Parameters: weight (C), bias (C).
class LayerNorm : public Module {
 public:
  LayerNorm(std::int64_t channels, const at::TensorOptions& options);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  /// x + added, of one shape, and that normalised.
  [[nodiscard]] NormedSum of_sum(const at::Tensor& x, const at::Tensor& added) const;

 private:
  at::Tensor weight_;
  at::Tensor bias_;
};

/// A clip's frames as a batch of pictures: (B, F, h, w, C) -> (B·F, h, w, C), a view.
at::Tensor frames_as_batch(const at::Tensor& clip);

}  // namespace unianimate::nn
