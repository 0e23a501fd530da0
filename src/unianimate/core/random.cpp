#include "unianimate/core/random.h"

#include <ATen/CPUGeneratorImpl.h>

namespace unianimate {

at::Generator make_generator(std::uint64_t seed, at::Device device) {
  if (device.is_cpu()) return at::make_generator<at::CPUGeneratorImpl>(seed);
  at::Generator generator = at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed(seed);
  return generator;
}

}  // namespace unianimate
