// How many states the kernels of the selective scan are made for: these stay in registers.
#pragma once

#include <cstdint>
#include <type_traits>

namespace unianimate::nn {

constexpr bool is_scan_of_kernels(std::int64_t states) {
  return states == 4 || states == 8 || states == 16;
}

/// call(number) with `states` as a type, which is_scan_of_kernels().
template <typename Call>
void with_scan_states(std::int64_t states, const Call& call) {
  switch (states) {
    case 4:
      return call(std::integral_constant<int, 4>());
    case 8:
      return call(std::integral_constant<int, 8>());
    default:
      return call(std::integral_constant<int, 16>());
  }
}

}  // namespace unianimate::nn
