// What linear layers and convolutions have in common: a weight, and the number format in which it is multiplied.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "unianimate/nn/ops/int8.h"

namespace unianimate::nn {

/// What a convolution gives: `bias` (C), where it is defined, has still to be added to x. Devices whose convolutions
/// add it in a pass of its own leave it to whoever goes through x next.
struct BeforeBias {
  at::Tensor x;
  at::Tensor bias;
};

/// What several products that are no convolutions are made of. Its 8 bits are made once, for the first that wants them;
/// not to be shared between threads.
class SharedInput {
 public:
  /// x: (..., in)
  explicit SharedInput(at::Tensor x) : x_(std::move(x)) {}
  [[nodiscard]] const at::Tensor& exact() const { return x_; }
  [[nodiscard]] const Int8Activations& in_int8() const;

 private:
  at::Tensor x_;
  mutable std::optional<Int8Activations> int8_;
};

/// x times weight, plus bias. Not changed while it computes.
class Product {
 public:
  /// Shares the layer's parameters. Without a convolution: weight (out, in) or with further axes of length one, for
  /// x (..., in). With one: weight (out, in, k, l) or (out, in, k, l, 1), for x (N, in, h, w) with channels-last
  /// strides. `bias` may be undefined.
  Product(at::Tensor weight, at::Tensor bias, std::optional<Convolution> convolution);

  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  /// The same, bit for bit. Not of a convolution.
  [[nodiscard]] at::Tensor operator()(const SharedInput& x) const;
  /// The same and residual, which has the shape of the result. Not of a convolution.
  [[nodiscard]] at::Tensor plus(const at::Tensor& x, const at::Tensor& residual) const;
  [[nodiscard]] BeforeBias before_bias(const at::Tensor& x) const;
  /// As convolve_upsampled(); of a convolution with a weight (out, in, 3, 3) and a padding of one.
  [[nodiscard]] at::Tensor of_upsampled(const at::Tensor& x) const;

  [[nodiscard]] const at::Tensor& weight() const { return weight_; }

  /// From now on computes in 8 bits, on the CPU and without gradients. The weight, which is the layer's parameter too,
  /// becomes empty; its memory is free.
  void use_int8(const Int8Weight& weight);
  /// With its own weight, rounded.
  void use_int8() { use_int8(quantize_weight(weight_)); }
  [[nodiscard]] bool is_int8() const { return packed_.has_value(); }

  /// Computes as ever, and beside it in 8 bits, to see how far apart the two are.
  void measure_int8();
  /// The largest relative L2 distance in one call since then; 0 where there was none. Ends the measuring.
  [[nodiscard]] double take_int8_error();

 private:
  struct Measure {
    PackedInt8 packed;
    double worst = 0;
  };
  [[nodiscard]] PackedInt8 pack(const Int8Weight& weight) const;
  [[nodiscard]] at::Tensor exact(const at::Tensor& x, const at::Tensor& bias) const;
  [[nodiscard]] at::Tensor in_int8(const at::Tensor& x, const PackedInt8& packed) const;

  at::Tensor weight_;
  at::Tensor bias_;
  std::optional<Convolution> convolution_;
  std::optional<PackedInt8> packed_;
  mutable std::optional<Measure> measure_;
};

/// The most bytes that a product with a weight of so many elements takes beside the weight, its input and its result,
/// on this machine.
std::int64_t bytes_beside_product(std::int64_t weight_elements, const at::Device& device, at::ScalarType dtype);

}  // namespace unianimate::nn
