// Random numbers, the same as the published code draws for the same seed.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace unianimate {

/// A generator of its own state on `device` (default CPU), seeded. On the CPU its at::randn and at::rand give the
/// published code's numbers (Mersenne twister; normal numbers in PyTorch's order).
at::Generator make_generator(std::uint64_t seed, at::Device device = at::kCPU);

}  // namespace unianimate
