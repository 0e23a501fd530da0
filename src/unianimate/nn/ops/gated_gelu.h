// The gate between the two linear layers of a transformer's feed-forward part.
#pragma once

#include <ATen/ATen.h>

namespace unianimate::nn {

/// value · GELU(gate) of the two halves of the last axis: (..., 2·C) -> (..., C). GELU is the exact one.
at::Tensor gated_gelu(const at::Tensor& x);

}  // namespace unianimate::nn
