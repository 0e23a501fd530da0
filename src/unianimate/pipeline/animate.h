// The face of the library: from a plan to the frames of a video.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/family/family.h"
#include "unianimate/media/pictures/frame_sink.h"
#include "unianimate/pipeline/phase.h"
#include "unianimate/pipeline/plan.h"
#include "unianimate/pipeline/preview_writer.h"
#include "unianimate/pipeline/segment_store.h"

namespace unianimate::pipeline {

/// What ran and what it took.
struct AnimateReport {
  std::int64_t frames = 0;
  int width = 0;  ///< of the frames handed to the sink
  int height = 0;
  std::int64_t model_calls = 0;  ///< passes of a batch of windows through the denoising model
  double pass_equivalents = 0;   ///< see AnimatePlan
  std::vector<Phase> phases;
  std::vector<std::string> notes;  ///< what was adjusted or assumed, and why
};

/// How an animation is carried out, beyond what it is to be. What is pointed to must outlive the animation.
struct AnimateOptions {
  SegmentStore* job = nullptr;  ///< where what is done is kept and gone on from; null: nowhere
  PreviewOptions preview;
  OpenPreview open_preview;                             ///< needed for previews
  distributed::ProcessGroup* group = nullptr;           ///< processes that share the sampling; null: this one alone
  std::function<void(const PhasePlace&)> phase_begins;  ///< called before Progress::begin_phase(); may be empty
  /// Given the clean latents (1, C, n, h, w) of each segment that is sampled, on the CPU, before they are decoded, in
  /// the first process; they are gone after the call. May be empty.
  std::function<void(const at::Tensor&)> latents_made = {};
};

/// Makes the video of a plan that was made for `family`, with its pictures, and hands its frames to `sink` one by one,
/// finish() included. Throws Error of every kind; the sink is then left unfinished. A step of the phase kSample is a
/// call of the model. Weights are loaded when they are first needed and stay as far as plan.residency has it.
///
/// With several processes all must call this with the same plan. Only the first hands out frames, keeps a job and
/// writes previews; the others return when they are no longer needed. Models that a job's saved work makes needless
/// are not loaded, and their phases left out.
AnimateReport animate(family::Family& family, const AnimatePlan& plan, FrameSink& sink, Progress& progress,
                      const AnimateOptions& options = {});

/// Plans and animates.
AnimateReport animate(family::Family& family, const family::AnimateRequest& request, FrameSink& sink,
                      Progress& progress, const AnimateOptions& options = {});

}  // namespace unianimate::pipeline
