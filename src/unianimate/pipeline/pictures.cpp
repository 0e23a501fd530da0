#include "unianimate/pipeline/pictures.h"

#include <algorithm>
#include <vector>

namespace unianimate::pipeline {

at::Tensor tensor_from_image(const Image& image) {
  at::Tensor tensor = at::empty({image.height, image.width, Image::kChannels}, at::kByte);
  std::ranges::copy(image.pixels, tensor.data_ptr<std::uint8_t>());
  return tensor;
}

at::Tensor tensor_from_images(std::span<const Image> images) {
  std::vector<at::Tensor> tensors;
  for (const Image& image : images) tensors.push_back(tensor_from_image(image));
  return at::stack(tensors);
}

at::Tensor unit_range(const at::Tensor& bytes) {
  return bytes.to(at::kFloat).div(255.0);
}

Image image_from_decoded(const at::Tensor& decoded) {
  const at::Tensor unit = ((decoded.to(at::kFloat) + 1.0) / 2.0).clamp(0.0, 1.0);
  const at::Tensor bytes = (unit * 255.0).to(at::kByte).permute({1, 2, 0}).cpu().contiguous();
  Image image(static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0)));
  std::copy_n(bytes.data_ptr<std::uint8_t>(), bytes.numel(), image.pixels.begin());
  return image;
}

}  // namespace unianimate::pipeline
