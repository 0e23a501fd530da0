// Who is in a video, looked for once: what was found is kept in a file.
#pragma once

#include <filesystem>
#include <utility>

#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/pose/detect/detector.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// Networks are loaded when somebody has to be found, which what was found earlier may spare.
class LazyDetector {
 public:
  LazyDetector(DetectorOptions options, Progress& progress) : options_(std::move(options)), progress_(progress) {}

  /// Phase where they are not loaded yet: "load pose models". Throws as make_detector().
  const PoseDetector& get();

 private:
  DetectorOptions options_;
  Progress& progress_;
  ChosenDetector chosen_;
};

/// The file in `folder` that keeps who was found: its name says for which content, part of it and detector; a file of
/// somebody else under that name is left alone. Throws
/// Error(kInput) where the video cannot be read.
std::filesystem::path found_people_file(const std::filesystem::path& folder, const std::filesystem::path& video,
                                        const FrameSourceOptions& part, const DetectorOptions& detector);

struct FoundPeople {
  PoseSequence everyone;
  bool from_file = false;  ///< found earlier
  double seconds = 0;      ///< decoding and detection now
};

/// Everyone in `source`, as extract_poses() finds them or `file` keeps them; a file that is damaged is made again.
/// `video` is the source's name for people. Phases: "load pose models", "find people". Throws as extract_poses() and
/// make_detector(), Error(kEnvironment) where the file or its folder cannot be made.
FoundPeople find_people(FrameSource& source, const std::filesystem::path& video, const std::filesystem::path& file,
                        LazyDetector& detector, int threads, Progress& progress);

}  // namespace unianimate::pose
