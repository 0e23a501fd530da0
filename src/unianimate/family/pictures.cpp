#include "unianimate/family/pictures.h"

#include <algorithm>

namespace unianimate::family {

at::Tensor tensor_from_image(const Image& image) {
  at::Tensor tensor = at::empty({image.height, image.width, Image::kChannels}, at::kByte);
  std::ranges::copy(image.pixels, tensor.data_ptr<std::uint8_t>());
  return tensor;
}

Image image_from_tensor(const at::Tensor& bytes) {
  const at::Tensor dense = bytes.cpu().contiguous();
  Image image(static_cast<int>(dense.size(1)), static_cast<int>(dense.size(0)));
  std::copy_n(dense.data_ptr<std::uint8_t>(), dense.numel(), image.pixels.begin());
  return image;
}

at::Tensor unit_range(const at::Tensor& bytes) {
  return bytes.to(at::kFloat).div(255.0);
}

Image image_from_decoded(const at::Tensor& decoded) {
  const at::Tensor unit = ((decoded.to(at::kFloat) + 1.0) / 2.0).clamp(0.0, 1.0);
  return image_from_tensor((unit * 255.0).to(at::kByte).permute({1, 2, 0}));
}

}  // namespace unianimate::family
