// Files that begin as a still picture does and hold a motion.
#pragma once

#include <filesystem>

namespace unianimate {

enum class AnimationKind {
  kNone,
  kPng,
  kWebp,
  kGif,
  kJpeg,      ///< pictures one after the other (MJPEG)
  kSequence,  ///< in a HEIC or AVIF file
};

/// kNone where several pictures are no motion (the views of an MPO file), for all other files, and where the file
/// cannot be read. Nothing is decoded.
[[nodiscard]] AnimationKind animation_kind(const std::filesystem::path& path);

/// Whether open_frame_source() gives the frames of a motion, the first of which stands for it where one picture is
/// needed.
[[nodiscard]] inline bool is_animation(const std::filesystem::path& path) {
  return animation_kind(path) != AnimationKind::kNone;
}

/// Whether a TIFF file holds more pictures behind the first, the only one that is read. False for all other files.
[[nodiscard]] bool has_more_pages(const std::filesystem::path& path);

}  // namespace unianimate
