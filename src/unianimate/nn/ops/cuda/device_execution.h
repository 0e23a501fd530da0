// The execution of kernels on a card, and their launch. For sources that nvcc compiles.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>

#include "unianimate/nn/ops/cuda/execution.h"

namespace unianimate::nn {

extern __shared__ uint4 shared_packs[];

struct DeviceExecution {
  __device__ static std::int64_t block() { return blockIdx.x; }
  __device__ static int thread() { return static_cast<int>(threadIdx.x); }
  __device__ static std::byte* shared() { return reinterpret_cast<std::byte*>(shared_packs); }
  __device__ static void barrier() { __syncthreads(); }

  template <typename V>
  __device__ static V shuffle(V value, int lane) {
    constexpr unsigned kAll = 0xFFFFFFFFU;
    return __shfl_sync(kAll, value, lane);
  }

  template <typename P, typename T>
  __device__ static P load(const T* at) {
    return *reinterpret_cast<const P*>(at);
  }
  template <typename P, typename T>
  __device__ static void store(T* at, const P& pack) {
    *reinterpret_cast<P*>(at) = pack;
  }

  __device__ static float to_float(float x) { return x; }
  __device__ static float to_float(Half x) { return __half2float(__ushort_as_half(x.bits)); }
  __device__ static float to_float(BFloat16 x) { return __bfloat162float(__ushort_as_bfloat16(x.bits)); }

  template <typename T>
  __device__ static T from_float(float x) {
    if constexpr (sizeof(T) == sizeof(float)) {
      return x;
    } else {
      return rounded(x, T());
    }
  }

 private:
  __device__ static Half rounded(float x, Half) { return {__half_as_ushort(__float2half_rn(x))}; }
  __device__ static BFloat16 rounded(float x, BFloat16) { return {__bfloat16_as_ushort(__float2bfloat16_rn(x))}; }
};

template <typename Kernel>
__global__ void __launch_bounds__(Kernel::kThreads) run_on_device(const Kernel kernel) {
  DeviceExecution execution;
  kernel(execution);
}

/// Queues kernels on a stream; `status` is that of the first that could not be.
struct DeviceLauncher {
  cudaStream_t stream;
  cudaError_t status = cudaSuccess;

  template <typename Kernel>
  void operator()(const Kernel& kernel) {
    // What a block may have without being asked for.
    constexpr std::size_t kOrdinaryShared = 48 * 1024;
    const std::size_t shared = kernel.shared_bytes();
    if (status == cudaSuccess && shared > kOrdinaryShared) {
      status = cudaFuncSetAttribute(run_on_device<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(shared));
    }
    if (status != cudaSuccess) return;
    run_on_device<<<static_cast<unsigned>(kernel.blocks()), Kernel::kThreads, shared, stream>>>(kernel);
    status = cudaGetLastError();
  }
};

}  // namespace unianimate::nn
