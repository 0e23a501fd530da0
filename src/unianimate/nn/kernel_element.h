// The number formats that the own CPU kernels compute with.
#pragma once

namespace unianimate::nn {

enum class KernelElement { kFloat, kBFloat16 };

}  // namespace unianimate::nn
