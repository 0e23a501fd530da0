// Where the poses of whole videos come from, for those who need not know how people are found.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// The pictures of videos and who is in them. What was found is kept in a folder, and found there again.
class PoseSource {
 public:
  virtual ~PoseSource() = default;

  /// Sources of equal identity find the same.
  [[nodiscard]] virtual std::string identity() const = 0;

  /// The pictures of a video. Throws Error(kInput) where it has none.
  virtual std::unique_ptr<FrameSource> open(const std::filesystem::path& video) = 0;

  /// Loads now what find_people() would load for this video, so that it is no fault of the video where that fails.
  virtual void load(const std::filesystem::path& video, const std::filesystem::path& folder) = 0;

  /// Everyone in `pictures`, which are the video's, from open(). Throws Error(kInput), Error(kEnvironment) where the
  /// folder cannot be written, Error(kCancelled).
  virtual PoseSequence find_people(FrameSource& pictures, const std::filesystem::path& video,
                                   const std::filesystem::path& folder) = 0;

 protected:
  PoseSource() = default;
  PoseSource(const PoseSource&) = default;
  PoseSource& operator=(const PoseSource&) = default;
};

/// Makes one, which tells `progress` what it does and is gone before that is.
using PoseSourceMaker = std::function<std::unique_ptr<PoseSource>(Progress& progress)>;

}  // namespace unianimate::pose
