#include "unianimate/cli/version.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/headeronly/version.h>

#include "unianimate/core/device.h"
#include "unianimate/media/film/library_version.h"

namespace unianimate::cli {

std::string version_text() {
  load_cuda_libraries(DeviceChoice::kAuto);
  return fmt::format(
      "unianimate {}\n"
      "libtorch {}\n"
      "FFmpeg {}\n"
      "bf16 on this CPU: {}\n"
      "CUDA: {}",
      UNIANIMATE_VERSION, TORCH_VERSION, ffmpeg_version(), cpu_has_bf16() ? "yes" : "no",
      at::hasCUDA() ? "usable GPU found"
                    : "no usable GPU, or its libraries are not installed (scripts/setup.sh --cuda)");
}

}  // namespace unianimate::cli
