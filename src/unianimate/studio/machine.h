// What a process computes with.
#pragma once

#include "unianimate/core/device.h"

namespace unianimate::studio {

struct MachineOptions {
  DeviceChoice device = DeviceChoice::kAuto;
  DTypeChoice dtype = DTypeChoice::kAuto;
  int threads = 0;  ///< to compute with; 0: one for each core this process may use
};

/// Loads the CUDA libraries as far as the device asks for them, so call it before anything computes, and settles the
/// threads of the whole process. Throws Error(kUsage), Error(kEnvironment).
Compute prepare_machine(const MachineOptions& options);

}  // namespace unianimate::studio
