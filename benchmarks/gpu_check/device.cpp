// Whether what is about to be measured is what it is taken for.
#include <dlfcn.h>

#include "gpu_check/setup.h"
#include "unianimate/core/error.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::benchmarks {

void try_device(const Setup& setup) {
  if (setup.device == DeviceChoice::kCuda && ::dlopen("libunianimate_cuda.so", RTLD_NOW) == nullptr) {
    throw Error(ErrorKind::kEnvironment, "this program's kernels for cards cannot be loaded: {}", ::dlerror());
  }
  const Compute compute = choose_compute(setup.device, DTypeChoice::kAuto);
  const at::Tensor ones = at::ones({1}, at::TensorOptions(compute.device).dtype(compute.dtype));
  if ((ones + ones).item<float>() != 2) throw Error(ErrorKind::kEnvironment, "the device cannot add one and one");
  if (compute.device.is_cuda() && nn::ops_for(ones).group_norm == nullptr) {
    throw Error(ErrorKind::kEnvironment, "libunianimate_cuda.so was loaded but has registered no kernels");
  }
  keep_rows(setup, "device", {{{"what", "device"}, {"computes", compute.reason}}});
}

}  // namespace unianimate::benchmarks
