// Footage with its latents, kept in memory.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/training/footage.h"
#include "unianimate/training/footage_ahead.h"

namespace unianimate::training {

struct EncodedFootage {
  Footage footage;
  at::Tensor moments;  ///< (moments, 2·z_channels, h, w), of the autoencoder's posterior, on its device
};

/// Encodes each item when it is first asked for. What it keeps takes about 2·3·H·W bytes for each moment.
class LatentCache {
 public:
  /// Both must outlive this. `threads_ahead`: that make footage which is expected, while the autoencoder's device
  /// computes.
  LatentCache(const FootageSource& source, const models::Autoencoder& autoencoder, bool keep, int threads_ahead = 0);

  /// These will be asked for.
  void expect(const std::vector<std::int64_t>& indices);
  [[nodiscard]] std::shared_ptr<const EncodedFootage> item(std::int64_t index);

 private:
  [[nodiscard]] std::shared_ptr<const EncodedFootage> encode(std::int64_t index);

  FootageAhead footage_;
  const models::Autoencoder& autoencoder_;
  at::Device device_;
  bool keep_;
  std::unordered_map<std::int64_t, std::shared_ptr<const EncodedFootage>> items_;
};

/// Pictures uint8 (N, H, W, 3) as the autoencoder takes them: (N, 3, H, W) in [-1, 1].
at::Tensor autoencoder_input(const at::Tensor& pictures);

}  // namespace unianimate::training
