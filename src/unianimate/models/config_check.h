// What the sizes of a network have to be.
#pragma once

#include <cstdint>

namespace unianimate::models {

/// Called with a condition, throws Error(kUsage) such as "unet.dim must be even, found 3" where it does not hold.
struct ConfigCheck {
  const char* network;  ///< "unet"

  void operator()(bool holds, const char* field, const char* expected, std::int64_t found) const;
};

}  // namespace unianimate::models
