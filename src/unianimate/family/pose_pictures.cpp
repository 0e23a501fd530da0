#include "unianimate/family/pose_pictures.h"

#include "unianimate/family/pictures.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/resize.h"

namespace unianimate::family {

PosePictures::PosePictures(const PoseFolder& folder, const std::vector<std::int64_t>& indices, const Framing& framing,
                           PictureSize size, Progress& progress)
    : framing_(framing), size_(size), reference_(read(folder.reference_pose)) {
  std::int64_t bytes = 0;
  for (const std::int64_t index : indices) {
    progress.throw_if_cancelled();
    at::Tensor picture = read(files_.emplace_back(folder.poses[static_cast<std::size_t>(index)]));
    bytes += picture.numel();
    if (bytes <= kPicturesInMemory) first_frames_.push_back(std::move(picture));
    progress.step(frames());
  }
}

at::Tensor PosePictures::of_frames(std::int64_t first, std::int64_t count) const {
  std::vector<at::Tensor> pictures;
  for (auto frame = static_cast<std::size_t>(first); frame < static_cast<std::size_t>(first + count); ++frame) {
    pictures.push_back(frame < first_frames_.size() ? first_frames_[frame] : read(files_.at(frame)));
  }
  return at::stack(pictures);
}

at::Tensor PosePictures::read(const std::filesystem::path& file) const {
  return tensor_from_image(
      resize_bilinear(framed(read_image(file), framing_, Border::kBlack), size_.width, size_.height));
}

}  // namespace unianimate::family
