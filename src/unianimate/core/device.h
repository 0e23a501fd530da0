// Which processor computes, and in which number format.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace unianimate {

/// What the user asked for.
enum class DeviceChoice { kAuto, kCpu, kCuda };
enum class DTypeChoice { kAuto, kFloat32, kBFloat16, kFloat16, kInt8 };

/// "auto", "cpu", "cuda" / "auto", "fp32", "bf16", "fp16", "int8". Throw Error(kUsage) naming the words accepted.
DeviceChoice parse_device(std::string_view text);
DTypeChoice parse_dtype(std::string_view text);
/// "fp32", "bf16", "fp16"; "f64" and so on for other types.
std::string dtype_name(at::ScalarType dtype);

/// What was settled on, and one sentence that says why.
struct Compute {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
  bool int8 = false;  ///< multiply in 8 bits what can be; all else is in `dtype`
  std::string reason;
};
/// What the user calls it: "int8" where it multiplies so, else dtype_name() of its format.
std::string dtype_name(const Compute& compute);

/// Brings the CUDA half of libtorch into the process, and this program's kernels for cards where they were built. Must
/// run before anything asks libtorch about CUDA, so it is the first thing a program does. `kCpu` does nothing; `kAuto`
/// stays silent where the libraries or a GPU are absent; `kCuda` throws Error(kEnvironment) that says what is missing
/// and how to get it.
void load_cuda_libraries(DeviceChoice choice);

/// Which GPU the process with this rank on its machine has: they take turns where there are fewer GPUs than processes.
/// Only where there is one.
at::Device cuda_device_of(int local_rank);

/// Throws Error(kUsage) where the device that is asked for never computes in the dtype, whatever this machine has.
void check_compute(DeviceChoice device, DTypeChoice dtype);

/// Settles device and dtype. dtype auto is bf16 on a CPU with bf16 instructions and on CUDA, else fp32.
/// Throws Error(kUsage) for fp16 on a CPU and int8 on a GPU, Error(kEnvironment) for CUDA without a GPU.
Compute choose_compute(DeviceChoice device, DTypeChoice dtype);

/// Bytes of the device's memory that this process can have in all, what it holds already included.
std::int64_t usable_bytes(at::Device device);

/// Whether this CPU multiplies bf16 in hardware (avx512_bf16; every processor with AMX has it too).
bool cpu_has_bf16();

}  // namespace unianimate
