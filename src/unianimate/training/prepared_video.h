// The cache file of a prepared video: pictures of a person in training size, with their poses.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/pose/format/keypoints.h"

namespace unianimate::training {

struct PreparedSegment {
  at::Tensor pictures;                     ///< uint8 (frames, H, W, 3)
  std::vector<pose::Keypoints> keypoints;  ///< in pixels of the pictures, one for each
};

/// Writes segment after segment; the file appears when finish() has run.
class PreparedVideoWriter {
 public:
  /// `lengths`: frames of each segment. `settings`: what the pictures depend on, which a reader compares. Throws
  /// Error(kEnvironment) where there is no room or the folder cannot be written to.
  PreparedVideoWriter(const std::filesystem::path& file, const std::vector<std::int64_t>& lengths, int width,
                      int height, const std::string& settings);
  /// The segments in their order. Throws Error(kEnvironment).
  void write(const PreparedSegment& segment);
  void finish() { writer_.finish(); }

 private:
  checkpoint::SafetensorsWriter writer_;
  std::size_t written_ = 0;
};

/// A file that holds what was asked for.
class PreparedVideo {
 public:
  /// Throws Error(kInput) for any other file, also one that is damaged.
  PreparedVideo(const std::filesystem::path& file, int width, int height, const std::string& settings);

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  /// Frames of each segment.
  [[nodiscard]] const std::vector<std::int64_t>& lengths() const { return lengths_; }
  /// May be called by several threads at once. Throws Error(kInput) where the file has changed meanwhile.
  [[nodiscard]] PreparedSegment load(std::size_t segment) const;

 private:
  std::filesystem::path file_;
  int width_;
  int height_;
  std::vector<std::int64_t> lengths_;
};

}  // namespace unianimate::training
