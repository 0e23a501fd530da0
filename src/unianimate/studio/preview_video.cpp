#include "unianimate/studio/preview_video.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "unianimate/core/consumer.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/pose/report/preview.h"
#include "unianimate/studio/motion_opening.h"
#include "unianimate/studio/motion_pictures.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

const pose::Keypoints* first_person(const pose::PoseSequence& sequence, std::size_t frame) {
  if (frame >= sequence.frames.size() || sequence.frames[frame].people.empty()) return nullptr;
  return &sequence.frames[frame].people.front().keypoints;
}

/// Encodes in a thread of its own what another one paints.
class PreviewVideo {
 public:
  PreviewVideo(const fs::path& path, const VideoFormat& format)
      : sink_(open_video_writer(path, format)),
        encoding_(kWaiting, [this](const Image& frame) { sink_->write(frame); }) {}

  void write(Image frame) { encoding_.give(std::move(frame)); }
  void finish() {
    encoding_.finish();
    sink_->finish();
  }

 private:
  static constexpr std::size_t kWaiting = 4;

  std::unique_ptr<FrameSink> sink_;
  Consumer<Image> encoding_;
};

}  // namespace

void write_preview(const AlignRequest& request, const fs::path& file, const pose::PoseSequence& driver,
                   const pose::HeldPauses& pauses, const pose::AlignedPoses& poses, const Image& reference,
                   Progress& progress) {
  const pose::PreviewPainter painter(reference, {poses.motion.width, poses.motion.height},
                                     {driver.width, driver.height});
  MotionPictures pictures(open_motion(request, true), driver.width, driver.height);
  const std::size_t count = poses.motion.frames.size();
  progress.begin_phase("preview", static_cast<std::int64_t>(count));
  std::optional<PreviewVideo> video;
  for (std::size_t i = 0; i < count; ++i) {
    progress.throw_if_cancelled();
    const double seconds = pauses.uncut(poses.motion.frames[i].seconds * request.speed);
    Image frame = painter.paint(pictures.at(seconds), first_person(driver, i), first_person(poses.motion, i));
    if (!video) {
      video.emplace(file, VideoFormat{frame.width, frame.height, poses.motion.frames_per_second, request.threads,
                                      VideoEffort::kPreview});
    }
    video->write(std::move(frame));
    progress.step(static_cast<std::int64_t>(i + 1));
  }
  if (video) video->finish();
}

void write_preview_of_everyone(const AlignRequest& request, const fs::path& file, const pose::PoseSequence& everyone,
                               Progress& progress) {
  const pose::PixelSize source{everyone.width, everyone.height};
  MotionPictures pictures(open_motion(request, true), source.width, source.height);
  progress.begin_phase("preview", static_cast<std::int64_t>(everyone.frames.size()));
  const pose::PixelSize size = pose::preview_size(source);
  PreviewVideo video(file,
                     {size.width, size.height, everyone.frames_per_second, request.threads, VideoEffort::kPreview});
  const double start = everyone.frames.front().seconds;
  std::int64_t done = 0;
  for (const pose::PoseFrame& frame : everyone.frames) {
    progress.throw_if_cancelled();
    video.write(pose::paint_everyone(pictures.at(frame.seconds - start), source, frame.people));
    progress.step(++done);
  }
  video.finish();
}

}  // namespace unianimate::studio
