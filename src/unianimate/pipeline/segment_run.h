// The sampling of one segment of a video.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "unianimate/distributed/process_group.h"
#include "unianimate/family/family.h"
#include "unianimate/pipeline/animate.h"
#include "unianimate/pipeline/clip_tensor.h"
#include "unianimate/pipeline/phase_log.h"
#include "unianimate/pipeline/segments.h"

namespace unianimate::pipeline {

/// What all segments of a video have in common. All outlive whoever has this.
struct VideoRun {
  family::Family& family;
  const AnimatePlan& plan;
  const AnimateOptions& options;
  distributed::ProcessGroup& group;
  SegmentStore* store;  ///< of the first process; null: nothing is kept
  PhaseLog& phases;
  Progress& progress;
  const family::PosePictures& poses;
  std::function<family::Reference&()> reference;  ///< encodes it when it is first asked for

  [[nodiscard]] bool is_first_process() const { return group.rank() == 0; }
};

/// Number `index` of `count` segments.
struct SegmentPlace {
  Segment segment;
  std::size_t index = 0;
  std::size_t count = 1;

  [[nodiscard]] PhasePlace phase(PhaseKind kind) const { return {kind, index, count}; }
  [[nodiscard]] bool is_last() const { return index + 1 == count; }
};

/// Samples a segment, or what a store lacks of it, and returns its clean latents (1, C, n, h, w). `first_frame`: what
/// it begins with, of the first segment the reference.
std::unique_ptr<ClipTensor> sample_segment(const VideoRun& run, const SegmentPlace& place, const Image& first_frame);

}  // namespace unianimate::pipeline
