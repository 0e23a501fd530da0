#include "unianimate/family/latent_preview.h"

#include "unianimate/family/pictures.h"
#include "unianimate/media/pictures/resize.h"

namespace unianimate::family {

namespace {

/// (4, h, w) -> (5, h·w): the channels and a one for each latent pixel.
at::Tensor columns(const at::Tensor& latent) {
  const at::Tensor flat = latent.to(at::kCPU, at::kDouble).flatten(1);
  return at::cat({flat, at::ones({1, flat.size(1)}, at::kDouble)});
}

}  // namespace

LatentPreview::LatentPreview(const at::Tensor& reference_latent, const Image& reference) {
  constexpr double kRidge = 1e-3;
  const at::Tensor latents = columns(reference_latent.squeeze(0));
  const at::Tensor picture = tensor_from_image(reference).permute({2, 0, 1}).to(at::kDouble).div(255).unsqueeze(0);
  const at::Tensor pixels =
      at::adaptive_avg_pool2d(picture, {reference_latent.size(2), reference_latent.size(3)}).squeeze(0).flatten(1);
  const auto count = static_cast<double>(pixels.size(1));
  const at::Tensor normal =
      at::matmul(latents, latents.t()) + kRidge * count * at::eye(latents.size(0), latents.options());
  map_ = at::linalg_solve(normal, at::matmul(latents, pixels.t())).t();
}

Image LatentPreview::picture(const at::Tensor& latent, int width, int height) const {
  const at::Tensor rgb = at::matmul(map_, columns(latent)).clamp(0, 1).mul(255).round().to(at::kByte);
  const at::Tensor small = rgb.view({3, latent.size(1), latent.size(2)}).permute({1, 2, 0}).contiguous();
  return resize_bilinear(image_from_tensor(small), width, height);
}

}  // namespace unianimate::family
