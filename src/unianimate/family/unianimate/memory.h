// What the models of the family take of memory and time, counted from their sizes.
#pragma once

#include <cstdint>
#include <vector>

#include "unianimate/family/family.h"
#include "unianimate/family/unianimate/model_files.h"

namespace unianimate::family {

/// Bytes of each model's weights, and what goes with them.
struct ModelBytes {
  std::int64_t unet = 0;
  std::int64_t unet_loading = 0;  ///< the most while it is loaded
  std::int64_t autoencoder = 0;
  std::int64_t small_decoder = 0;
  std::int64_t clip_visual = 0;
  std::int64_t clip_text = 0;
  std::int64_t beside_products = 0;  ///< the most that one takes beside weight, input and result
};

ModelBytes model_bytes(const ModelConfigs& configs, const Compute& compute);

/// See Family::memory().
std::vector<MemoryUse> memory_uses(const ModelConfigs& configs, const ModelBytes& bytes, at::ScalarType dtype,
                                   const Workload& work);

/// See Family::carried_bytes().
std::int64_t carried_bytes(const models::UNetConfig& config, at::ScalarType dtype, const ClipShape& window);

/// See Family::feature_reuse().
FeatureReuse feature_reuse(const models::UNetConfig& config, at::ScalarType dtype, const ClipShape& window,
                           std::int64_t below);

}  // namespace unianimate::family
