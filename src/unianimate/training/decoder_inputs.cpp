#include "unianimate/training/decoder_inputs.h"

#include <algorithm>
#include <cmath>

namespace unianimate::training {

std::vector<at::Tensor> random_pieces(std::vector<at::Tensor> aligned, const std::vector<CropPhase>& phases,
                                      double progress, RandomStream& random) {
  const auto phase = std::ranges::find_if(phases, [&](const CropPhase& p) { return progress < p.until; });
  if (phase == phases.end() || phase->width == 0) return aligned;
  const std::int64_t height = aligned.front().size(2);
  const std::int64_t width = aligned.front().size(3);
  const std::int64_t pieces = std::max<std::int64_t>(1, height * width / (2 * phase->width * phase->height));
  std::vector<std::vector<at::Tensor>> cut(aligned.size());
  for (std::int64_t k = 0; k < pieces * aligned.front().size(0); ++k) {
    const std::int64_t y = random.below(height - phase->height + 1);
    const std::int64_t x = random.below(width - phase->width + 1);
    for (std::size_t i = 0; i < aligned.size(); ++i) {
      cut[i].push_back(aligned[i][k / pieces].narrow(1, y, phase->height).narrow(2, x, phase->width));
    }
  }
  for (std::size_t i = 0; i < aligned.size(); ++i) aligned[i] = at::stack(cut[i]);
  return aligned;
}

at::Tensor with_errors(const at::Tensor& latents, double largest, const at::Generator& generator) {
  if (largest == 0) return latents;
  const at::Tensor spread = latents.detach().transpose(0, 1).flatten(1).std(1).view({1, -1, 1, 1});
  const at::Tensor share = at::empty({latents.size(0), 1, 1, 1}, at::kFloat).uniform_(0, largest, generator);
  const at::Tensor noise = at::empty(latents.sizes(), at::kFloat).normal_(0, 1, generator);
  return latents + share.to(latents.device()) * spread * noise.to(latents.device());
}

at::Tensor edge_error(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor error = a - b;
  const auto along = [&](std::int64_t axis) { return error.diff(1, axis).abs().mean(); };
  return along(2) + along(3);
}

double psnr_of(double mean_squared_error) {
  return -10 * std::log10(mean_squared_error);
}

}  // namespace unianimate::training
