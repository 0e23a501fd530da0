#include "unianimate/server/worker/gpus.h"

#include <ATen/Context.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <sstream>
#include <system_error>

namespace unianimate::worker {

namespace fs = std::filesystem;

namespace {

/// Whether the CUDA half of libtorch lies beside the other one.
bool has_cuda_libraries() {
  Dl_info found{};
  const auto* const inside = reinterpret_cast<const void*>(&at::globalContext);
  if (::dladdr(inside, &found) == 0 || found.dli_fname == nullptr) return false;
  std::error_code ignored;
  return fs::exists(fs::path(found.dli_fname).parent_path() / "libtorch_cuda.so", ignored);
}

}  // namespace

std::vector<std::string> gpus_of(const char* visible, const fs::path& listed) {
  std::vector<std::string> gpus;
  if (visible != nullptr) {
    std::istringstream names(visible);
    // As CUDA does: what stands behind one that is none does not count.
    for (std::string name; std::getline(names, name, ',') && !name.empty() && name.front() != '-';) {
      gpus.push_back(name);
    }
    return gpus;
  }
  std::error_code problem;
  for (fs::directory_iterator entry(listed, problem), end; !problem && entry != end; entry.increment(problem)) {
    gpus.push_back(fmt::to_string(gpus.size()));
  }
  return gpus;
}

std::vector<std::string> usable_gpus() {
  if (!has_cuda_libraries()) return {};
  return gpus_of(std::getenv("CUDA_VISIBLE_DEVICES"), "/proc/driver/nvidia/gpus");
}

std::string gpu_name(std::size_t index) {
  const std::vector<std::string> gpus = usable_gpus();
  return index < gpus.size() ? gpus[index] : "";
}

}  // namespace unianimate::worker
