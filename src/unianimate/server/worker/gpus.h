// The GPUs of this machine, without a library that opens them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace unianimate::worker {

/// Of each GPU, what CUDA_VISIBLE_DEVICES names it by. `visible`: that variable as it is; null: it is not set.
/// `listed`: the driver's folder of GPUs.
std::vector<std::string> gpus_of(const char* visible, const std::filesystem::path& listed);

/// Of this machine, as far as this process may see them; none where it has no libraries to compute there.
std::vector<std::string> usable_gpus();

/// What one of them is named by, by its number in this process; empty where there is none such.
std::string gpu_name(std::size_t index);

}  // namespace unianimate::worker
