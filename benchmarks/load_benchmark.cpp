// Time and memory of loading a UNet checkpoint, beside the time of only reading the file.
// usage: load_benchmark FILE [fp32|bf16]
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <exception>
#include <vector>

#include "stopwatch.h"
#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/device.h"
#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/family/unianimate/model_weights.h"

namespace unianimate::benchmarks {
namespace {

void read_whole_file(const char* path) {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) throw Error(ErrorKind::kInput, "{} cannot be opened", path);
  std::vector<char> buffer(16 << 20);
  while (::read(file, buffer.data(), buffer.size()) > 0) {
  }
  ::close(file);
}

void run(const char* path, DTypeChoice dtype) {
  const Compute compute = choose_compute(DeviceChoice::kCpu, dtype);
  const checkpoint::Checkpoint file = checkpoint::open_checkpoint(path);
  const models::UNetConfig config =
      models::unet_config_from_shapes(family::shapes_of(file, naming::require_naming(file, naming::ModelRole::kUNet)));
  read_whole_file(path);  // so that both times below find the file in the page cache as far as it fits
  const double reading = seconds_of([&] { read_whole_file(path); });
  reset_peak_memory();
  Progress silent;
  const double loading =
      seconds_of([&] { family::load_unet(path, config, {at::TensorOptions().dtype(compute.dtype)}, silent); });
  fmt::print("load to {}   {:.2f} s = {:.1f} times the {:.2f} s of only reading the file, peak memory {}\n",
             dtype_name(compute.dtype), loading, loading / reading, reading, format_bytes(peak_resident_bytes()));
}

}  // namespace
}  // namespace unianimate::benchmarks

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    fmt::print(stderr, "usage: load_benchmark FILE [fp32|bf16]\n");
    return 2;
  }
  try {
    unianimate::benchmarks::run(argv[1], unianimate::parse_dtype(argc == 3 ? argv[2] : "bf16"));
  } catch (const std::exception& error) {
    fmt::print(stderr, "load_benchmark: {}\n", error.what());
    return 1;
  }
  return 0;
}
