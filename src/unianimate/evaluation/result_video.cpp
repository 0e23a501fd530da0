#include "unianimate/evaluation/result_video.h"

#include <array>

#include "unianimate/evaluation/enlarged.h"

namespace unianimate::evaluation {

void write_result_video(const OpenFrameSink& open, const std::filesystem::path& path, const ResultFrames& frames,
                        double frames_per_second) {
  constexpr int kFewestRows = 256;
  const auto shown = [](const Image& picture) { return enlarged(picture, kFewestRows); };
  const Image reference = shown(frames.reference);
  const auto video = open(path, 4 * reference.width, reference.height, frames_per_second);
  for (std::size_t i = 0; i < frames.result.size(); ++i) {
    video->write(concatenate_columns(
        std::array{reference, shown(frames.poses[i]), shown(frames.result[i]), shown(frames.truth[i])}));
  }
  video->finish();
}

}  // namespace unianimate::evaluation
