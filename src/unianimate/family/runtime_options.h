// How models run on this machine.
#pragma once

#include <cstdint>
#include <vector>

#include "unianimate/core/device.h"
#include "unianimate/family/lora.h"

namespace unianimate::family {

struct RuntimeOptions {
  Compute compute;                 ///< from choose_compute()
  std::int64_t memory_budget = 0;  ///< bytes of the compute device's memory this process may use; 0: what is available
  std::vector<LoraFile> loras;     ///< added to the denoising model when it is loaded
  bool allow_nonfinite = false;    ///< use weights that are not finite, with a note, instead of refusing them
  /// Bytes of latents that lie in memory; those of longer clips lie in a file in the system's folder for such.
  std::int64_t latent_memory = 256'000'000;
};

}  // namespace unianimate::family
