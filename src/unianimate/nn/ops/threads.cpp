// Compiled with OpenMP: ATen's header makes no threads without it, and says nothing.
#include <ATen/Parallel.h>

#include "unianimate/nn/ops/ops.h"

#if defined(__GNUC__) && !defined(__clang__) && !defined(_OPENMP)
#error "threads.cpp is to be compiled with -fopenmp"
#endif

namespace unianimate::nn {

void on_aten_threads(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& body) {
  at::parallel_for(0, count, 1, body);
}

}  // namespace unianimate::nn
