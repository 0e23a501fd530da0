#include "unianimate/pose/detect/detected_poses.h"

#include <system_error>
#include <utility>

#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/pose/detect/people_search.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

class DetectedPoses final : public PoseSource {
 public:
  DetectedPoses(DetectorOptions options, Progress& progress)
      : options_(std::move(options)), progress_(progress), detector_(options_, progress) {
    whole_.threads = options_.threads;
  }

  [[nodiscard]] std::string identity() const override { return detector_identity(options_); }

  std::unique_ptr<FrameSource> open(const fs::path& video) override { return open_frame_source(video, whole_); }

  void load(const fs::path& video, const fs::path& folder) override {
    std::error_code ignored;
    if (!fs::exists(file_of(video, folder), ignored)) detector_.get();
  }

  PoseSequence find_people(FrameSource& pictures, const fs::path& video, const fs::path& folder) override {
    return pose::find_people(pictures, video, file_of(video, folder), detector_, options_.threads, progress_).everyone;
  }

 private:
  /// Its name follows from all that the video holds, which is read once.
  const fs::path& file_of(const fs::path& video, const fs::path& folder) {
    if (video != video_ || folder != file_.parent_path()) {
      file_ = found_people_file(folder, video, whole_, options_);
      video_ = video;
    }
    return file_;
  }

  DetectorOptions options_;
  Progress& progress_;
  LazyDetector detector_;
  FrameSourceOptions whole_;
  fs::path video_;  ///< the last one
  fs::path file_;   ///< what is kept of it
};

}  // namespace

std::unique_ptr<PoseSource> detected_poses(const DetectorOptions& options, Progress& progress) {
  return std::make_unique<DetectedPoses>(options, progress);
}

}  // namespace unianimate::pose
