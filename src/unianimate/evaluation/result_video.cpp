#include "unianimate/evaluation/result_video.h"

#include <array>

#include "unianimate/media/resize.h"
#include "unianimate/media/video_writer.h"

namespace unianimate::evaluation {

void write_result_video(const std::filesystem::path& path, const ResultFrames& frames, double frames_per_second) {
  constexpr int kFewestRows = 256;
  const int factor = (kFewestRows + frames.reference.height - 1) / frames.reference.height;
  const auto enlarged = [factor](const Image& picture) {
    return factor > 1 ? resize_bilinear(picture, factor * picture.width, factor * picture.height) : picture;
  };
  const Image reference = enlarged(frames.reference);
  VideoFormat format;
  format.width = 4 * reference.width;
  format.height = reference.height;
  format.frames_per_second = frames_per_second;
  const auto video = open_video_writer(path, format);
  for (std::size_t i = 0; i < frames.result.size(); ++i) {
    video->write(concatenate_columns(
        std::array{reference, enlarged(frames.poses[i]), enlarged(frames.result[i]), enlarged(frames.truth[i])}));
  }
  video->finish();
}

}  // namespace unianimate::evaluation
