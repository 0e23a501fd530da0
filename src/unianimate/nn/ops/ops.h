// The table of who computes what: looked up by device, number format and, on the CPU, its instructions.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>

#include "unianimate/nn/ops/kernels.h"

namespace unianimate::nn {

/// The operations for tensors like `x`. All of them are null, that is ATen's, where there is no row for its device and
/// format, where it has no elements, and where it or one of `others` needs a gradient.
const Ops& ops_for(const at::Tensor& x, std::initializer_list<at::Tensor> others = {});

/// The same whether or not gradients are needed, for operations that have x_gradients beside x; those have no gradients
/// of their own.
const Ops& ops_with_gradients_for(const at::Tensor& x);

/// Whether any of these needs a gradient now. Undefined tensors need none.
bool needs_gradient(std::initializer_list<at::Tensor> tensors);

/// As operators take what may be missing.
std::optional<at::Tensor> optional_of(const at::Tensor& x);

/// ATen's threads, for kernels on the CPU: `body` of parts of 0 … count − 1, one part for each thread.
void on_aten_threads(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& body);

}  // namespace unianimate::nn
