#include "unianimate/pipeline/comparison_sink.h"

#include <array>

#include "unianimate/family/pictures.h"

namespace unianimate::pipeline {

void ComparisonSink::write(const Image& frame) {
  const Image pose = family::image_from_tensor(poses_.of_frames(written_++, 1)[0]);
  sink_.write(concatenate_columns(std::array{reference_, pose, frame}));
}

}  // namespace unianimate::pipeline
