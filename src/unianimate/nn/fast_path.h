// When a layer may leave ATen for a route of its own.
#pragma once

#include <ATen/ATen.h>

#include <initializer_list>

namespace unianimate::nn {

/// Whether any of these needs a gradient now; own kernels have none. Undefined tensors need none.
bool needs_gradient(std::initializer_list<at::Tensor> tensors);

/// Whether this CPU has the AVX-512 instructions that the own kernels are written for; `bf16`: those for bf16 too.
bool cpu_has_avx512(bool bf16);

/// Whether x lies on the CPU in fp32 or bf16 and has elements: what the own kernels compute with.
bool suits_cpu_kernels(const at::Tensor& x);

}  // namespace unianimate::nn
