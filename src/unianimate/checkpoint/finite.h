// Values that are no numbers, or become none in another number format.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

#include "unianimate/checkpoint/element_type.h"

namespace unianimate::checkpoint {

/// How many of the values are not finite once they are converted to `to`: NaN, infinite, or too large for it. `bytes`
/// holds whole elements of the type `from`, at any alignment; those of types without such values count as none.
std::int64_t count_nonfinite(std::span<const char> bytes, ElementType from, at::ScalarType to);

}  // namespace unianimate::checkpoint
