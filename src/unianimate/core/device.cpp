#include "unianimate/core/device.h"

#include <ATen/DeviceAccelerator.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"

namespace unianimate {

namespace {

[[noreturn]] void refuse_half_on_cpu() {
  throw Error(ErrorKind::kUsage, "--dtype fp16 is for CUDA only; on a CPU use bf16 or fp32");
}

[[noreturn]] void refuse_int8_on_gpu() {
  throw Error(ErrorKind::kUsage, "--dtype int8 is for CPUs only; use bf16 on a GPU, or add --device cpu");
}

/// Whether the kernels of this program for cards are in the process.
bool& has_own_kernels() {
  static bool loaded = false;
  return loaded;
}

}  // namespace

DeviceChoice parse_device(std::string_view text) {
  if (text == "auto") return DeviceChoice::kAuto;
  if (text == "cpu") return DeviceChoice::kCpu;
  if (text == "cuda") return DeviceChoice::kCuda;
  throw Error(ErrorKind::kUsage, "the device is one of auto, cpu, cuda; found '{}'", printable(text));
}

DTypeChoice parse_dtype(std::string_view text) {
  if (text == "auto") return DTypeChoice::kAuto;
  if (text == "fp32") return DTypeChoice::kFloat32;
  if (text == "bf16") return DTypeChoice::kBFloat16;
  if (text == "fp16") return DTypeChoice::kFloat16;
  if (text == "int8") return DTypeChoice::kInt8;
  throw Error(ErrorKind::kUsage, "the dtype is one of auto, fp32, bf16, fp16, int8; found '{}'", printable(text));
}

std::string dtype_name(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat:
      return "fp32";
    case at::kBFloat16:
      return "bf16";
    case at::kHalf:
      return "fp16";
    case at::kDouble:
      return "fp64";
    default:
      return c10::toString(dtype);
  }
}

std::string dtype_name(const Compute& compute) {
  return compute.int8 ? "int8" : dtype_name(compute.dtype);
}

void load_cuda_libraries(DeviceChoice choice) {
  if (choice == DeviceChoice::kCpu) return;
  // RTLD_GLOBAL, because its static initialisers register CUDA kernels with the dispatcher in libtorch_cpu.
  if (::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr) {
    has_own_kernels() = ::dlopen("libunianimate_cuda.so", RTLD_NOW) != nullptr;
    return;
  }
  if (choice == DeviceChoice::kAuto) return;
  throw Error(ErrorKind::kEnvironment,
              "--device cuda needs libtorch's CUDA libraries, which could not be loaded ({}); run scripts/setup.sh "
              "--cuda, or use --device cpu",
              ::dlerror());
}

at::Device cuda_device_of(int local_rank) {
  return {at::kCUDA, static_cast<at::DeviceIndex>(local_rank % at::detail::getCUDAHooks().deviceCount())};
}

std::int64_t usable_bytes(at::Device device) {
  if (device.is_cpu()) return available_memory_bytes() + resident_bytes();
  return static_cast<std::int64_t>(at::accelerator::getMemoryInfo(device.index()).first);
}

bool cpu_has_bf16() {
  return __builtin_cpu_supports("avx512bf16") != 0;
}

void check_compute(DeviceChoice device, DTypeChoice dtype) {
  if (device == DeviceChoice::kCpu && dtype == DTypeChoice::kFloat16) refuse_half_on_cpu();
  if (device == DeviceChoice::kCuda && dtype == DTypeChoice::kInt8) refuse_int8_on_gpu();
}

Compute choose_compute(DeviceChoice device, DTypeChoice dtype) {
  check_compute(device, dtype);
  Compute compute;
  const bool cuda_works = device != DeviceChoice::kCpu && at::hasCUDA() && at::detail::getCUDAHooks().deviceCount() > 0;
  if (device == DeviceChoice::kCuda && !cuda_works) {
    throw Error(ErrorKind::kEnvironment,
                "--device cuda found no usable NVIDIA GPU; check the driver with nvidia-smi, or use --device cpu");
  }
  if (cuda_works) compute.device = at::Device(at::kCUDA, 0);
  const std::string where = cuda_works ? "the GPU" : "this CPU";

  switch (dtype) {
    case DTypeChoice::kFloat32:
      compute.dtype = at::kFloat;
      compute.reason = fmt::format("computing in fp32 on {}, as asked", where);
      // cuDNN's convolutions, and where the environment says so cuBLAS's products, otherwise round their inputs to 10
      // bits of mantissa.
      if (cuda_works) {
        at::globalContext().setAllowTF32CuDNN(false);
        at::globalContext().setAllowTF32CuBLAS(false);
      }
      break;
    case DTypeChoice::kBFloat16:
      compute.dtype = at::kBFloat16;
      compute.reason =
          fmt::format("computing in bf16 on {}, as asked{}", where,
                      cuda_works || cpu_has_bf16() ? "" : "; it has no bf16 instructions, so fp32 is faster");
      break;
    case DTypeChoice::kFloat16:
      if (!cuda_works) refuse_half_on_cpu();
      compute.dtype = at::kHalf;
      compute.reason = "computing in fp16 on the GPU, as asked";
      break;
    case DTypeChoice::kInt8:
      if (cuda_works) refuse_int8_on_gpu();
      if (__builtin_cpu_supports("avx2") == 0) {
        throw Error(ErrorKind::kEnvironment, "--dtype int8 needs a CPU with AVX2, which this one lacks; use fp32");
      }
      compute.int8 = true;
      compute.dtype = cpu_has_bf16() ? at::kBFloat16 : at::kFloat;
      compute.reason = fmt::format("multiplying in 8 bits on this CPU, as asked, and computing the rest in {}",
                                   dtype_name(compute.dtype));
      break;
    case DTypeChoice::kAuto:
      compute.dtype = cuda_works || cpu_has_bf16() ? at::kBFloat16 : at::kFloat;
      compute.reason =
          compute.dtype == at::kBFloat16
              ? fmt::format("computing in bf16, which {} has instructions for (--dtype fp32 is slower and more exact)",
                            where)
              : "computing in fp32: this CPU has no bf16 instructions";
      break;
  }
  if (cuda_works && !has_own_kernels()) {
    compute.reason += "; libunianimate_cuda.so was not built or cannot be loaded, so it takes libtorch's kernels only";
  }
  return compute;
}

}  // namespace unianimate
