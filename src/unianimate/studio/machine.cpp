#include "unianimate/studio/machine.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "unianimate/core/threads.h"

namespace unianimate::studio {

Compute prepare_machine(const MachineOptions& options) {
  check_compute(options.device, options.dtype);
  load_cuda_libraries(options.device);
  const Compute compute = choose_compute(options.device, options.dtype);
  if (options.threads > 0) {
    at::set_num_threads(options.threads);
  } else if (const int allowed = library_threads(0); allowed > 0) {
    at::set_num_threads(std::min(allowed, at::get_num_threads()));
  }
  return compute;
}

}  // namespace unianimate::studio
