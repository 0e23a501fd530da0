#include "unianimate/training/prepared_video.h"

#include "unianimate/checkpoint/loading.h"
#include "unianimate/core/error.h"
#include "unianimate/media/pictures/image.h"
#include "unianimate/training/video_segments.h"

namespace unianimate::training {

namespace fs = std::filesystem;

namespace {

constexpr const char* kVideoSettings = "settings";
constexpr std::int64_t kNumbersOfPoint = 3;  ///< x, y, score
constexpr double kFarthest = 1e6;            ///< pixels

std::string pictures_name(std::size_t segment) {
  return fmt::format("{:06}.pictures", segment);
}
std::string keypoints_name(std::size_t segment) {
  return fmt::format("{:06}.keypoints", segment);
}

checkpoint::Shape pictures_shape(std::int64_t frames, int width, int height) {
  return {frames, height, width, Image::kChannels};
}
checkpoint::Shape keypoints_shape(std::int64_t frames) {
  return {frames, static_cast<std::int64_t>(pose::kKeypoints), kNumbersOfPoint};
}

std::vector<checkpoint::TensorPlan> plans(const std::vector<std::int64_t>& lengths, int width, int height) {
  std::vector<checkpoint::TensorPlan> all;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    all.push_back({pictures_name(i), at::kByte, pictures_shape(lengths[i], width, height)});
    all.push_back({keypoints_name(i), at::kFloat, keypoints_shape(lengths[i])});
  }
  return all;
}

at::Tensor as_tensor(const std::vector<pose::Keypoints>& keypoints) {
  at::Tensor numbers = at::empty(keypoints_shape(static_cast<std::int64_t>(keypoints.size())), at::kFloat);
  auto* next = numbers.mutable_data_ptr<float>();
  for (const pose::Keypoints& person : keypoints) {
    for (const pose::Keypoint& point : person) {
      for (const double number : {point.at.x, point.at.y, point.score}) *next++ = static_cast<float>(number);
    }
  }
  return numbers;
}

std::vector<pose::Keypoints> from_tensor(const at::Tensor& numbers) {
  std::vector<pose::Keypoints> keypoints(static_cast<std::size_t>(numbers.size(0)));
  const auto* next = numbers.const_data_ptr<float>();
  for (pose::Keypoints& person : keypoints) {
    for (pose::Keypoint& point : person) {
      point = {{next[0], next[1]}, next[2]};
      next += kNumbersOfPoint;
    }
  }
  return keypoints;
}

[[noreturn]] void refuse(const fs::path& file, const std::string& reason) {
  throw Error(ErrorKind::kInput, "{} is no prepared video of these settings: {}", printable(file.string()), reason);
}

/// Of type and shape, where those are as they should be.
at::Tensor tensor(const checkpoint::Checkpoint& archive, const fs::path& file, const std::string& name,
                  checkpoint::ElementType type, const checkpoint::Shape& shape) {
  const checkpoint::TensorEntry* entry = archive.find(name);
  if (entry == nullptr || entry->type != type || entry->shape != shape) {
    refuse(file, fmt::format("its tensor '{}' is missing or of another kind", name));
  }
  return checkpoint::materialize(archive, *entry);
}

std::vector<pose::Keypoints> read_keypoints(const checkpoint::Checkpoint& archive, const fs::path& file,
                                            std::size_t segment, std::int64_t frames) {
  const std::string name = keypoints_name(segment);
  const at::Tensor numbers = tensor(archive, file, name, checkpoint::ElementType::kFloat32, keypoints_shape(frames));
  // What is not a number is not below anything.
  if (!numbers.abs().le(kFarthest).all().item<bool>()) refuse(file, fmt::format("'{}' holds impossible points", name));
  return from_tensor(numbers);
}

}  // namespace

PreparedVideoWriter::PreparedVideoWriter(const fs::path& file, const std::vector<std::int64_t>& lengths, int width,
                                         int height, const std::string& settings)
    : writer_(file, plans(lengths, width, height), checkpoint::marked({{kVideoSettings, settings}})) {}

void PreparedVideoWriter::write(const PreparedSegment& segment) {
  writer_.write(pictures_name(written_), segment.pictures);
  writer_.write(keypoints_name(written_), as_tensor(segment.keypoints));
  ++written_;
}

PreparedVideo::PreparedVideo(const fs::path& file, int width, int height, const std::string& settings)
    : file_(file), width_(width), height_(height) {
  const checkpoint::Checkpoint archive = checkpoint::open_checkpoint(file);
  const auto found = archive.metadata().find(kVideoSettings);
  if (found == archive.metadata().end() || found->second != settings) refuse(file, "it was made with others");
  const std::size_t segments = archive.tensors().size() / 2;
  for (std::size_t i = 0; i < segments; ++i) {
    const checkpoint::TensorEntry* pictures = archive.find(pictures_name(i));
    const std::int64_t frames = pictures == nullptr || pictures->shape.empty() ? 0 : pictures->shape.front();
    const bool sound =
        frames >= static_cast<std::int64_t>(kShortestSegment) && frames <= static_cast<std::int64_t>(kLongestSegment) &&
        pictures->type == checkpoint::ElementType::kUInt8 && pictures->shape == pictures_shape(frames, width, height);
    if (!sound) refuse(file, fmt::format("its tensor '{}' is missing or of another kind", pictures_name(i)));
    static_cast<void>(read_keypoints(archive, file, i, frames));
    lengths_.push_back(frames);
  }
  if (lengths_.empty() || archive.tensors().size() != 2 * segments) refuse(file, "it lacks tensors");
}

PreparedSegment PreparedVideo::load(std::size_t segment) const {
  const checkpoint::Checkpoint archive = checkpoint::open_checkpoint(file_);
  const std::int64_t frames = lengths_.at(segment);
  return {tensor(archive, file_, pictures_name(segment), checkpoint::ElementType::kUInt8,
                 pictures_shape(frames, width_, height_)),
          read_keypoints(archive, file_, segment, frames)};
}

}  // namespace unianimate::training
