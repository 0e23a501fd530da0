#include "unianimate/training/latent_cache.h"

#include <c10/core/GradMode.h>

#include "unianimate/family/pictures.h"

namespace unianimate::training {

LatentCache::LatentCache(const FootageSource& source, const models::Autoencoder& autoencoder, bool keep,
                         int threads_ahead)
    : footage_(source, threads_ahead),
      autoencoder_(autoencoder),
      device_(autoencoder.named_parameters().front().tensor.device()),
      keep_(keep) {}

void LatentCache::expect(const std::vector<std::int64_t>& indices) {
  for (const std::int64_t index : indices) {
    if (!items_.contains(index)) footage_.expect(index);
  }
}

std::shared_ptr<const EncodedFootage> LatentCache::item(std::int64_t index) {
  const auto known = items_.find(index);
  if (known != items_.end()) return known->second;
  std::shared_ptr<const EncodedFootage> item = encode(index);
  if (keep_) items_.emplace(index, item);
  return item;
}

std::shared_ptr<const EncodedFootage> LatentCache::encode(std::int64_t index) {
  const c10::NoGradGuard no_gradients;
  auto item = std::make_shared<EncodedFootage>();
  item->footage = footage_.load(index);
  const at::Tensor pictures = autoencoder_input(item->footage.pictures).to(device_);
  item->moments = autoencoder_.encode_moments(pictures).to(at::kFloat);
  return item;
}

at::Tensor autoencoder_input(const at::Tensor& pictures) {
  return 2 * family::unit_range(pictures).permute({0, 3, 1, 2}) - 1;
}

}  // namespace unianimate::training
