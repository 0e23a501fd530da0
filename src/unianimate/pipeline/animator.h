// The face of the library: load the models once, animate as often as wanted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/family/request.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/media/pictures/frame_sink.h"
#include "unianimate/pipeline/plan.h"
#include "unianimate/pipeline/segment_store.h"

namespace unianimate::pipeline {

/// One stretch of work.
struct Phase {
  std::string name;  ///< "read pictures", "encode reference", "sample", "decode", …
  double seconds = 0;
  std::int64_t peak_bytes = 0;  ///< highest resident memory of the process during it
};

/// What ran and what it took.
struct AnimateReport {
  std::int64_t frames = 0;
  int width = 0;  ///< of the frames handed to the sink
  int height = 0;
  std::int64_t unet_calls = 0;  ///< passes of a batch of windows through the UNet
  std::vector<Phase> phases;
  std::vector<std::string> notes;  ///< what was adjusted or assumed, and why
};

/// How an animation is carried out, beyond what it is to be. What is pointed to must outlive the animation.
struct AnimateOptions {
  SegmentStore* job = nullptr;  ///< where what is done is kept and gone on from; null: nowhere
  PreviewOptions preview;
  double frames_per_second = 8;                ///< of the preview
  distributed::ProcessGroup* group = nullptr;  ///< processes that share the sampling; null: this one alone
};

/// Not thread-safe: one animation at a time. Frees the models when it goes.
class Animator {
 public:
  /// Works out the models' sizes. Weights are loaded when they are first needed; they stay for the next animation
  /// as far as the memory budget allows it (AnimatePlan::keeps_all_models, keeps_unet), else each goes after its phase.
  /// Throws as read_model_configs() does.
  static Animator load(const family::ModelFiles& files, const family::RuntimeOptions& options);
  ~Animator();
  Animator(Animator&&) noexcept;
  Animator& operator=(Animator&&) noexcept;

  [[nodiscard]] const family::ModelConfigs& configs() const;

  /// Makes the video and hands its frames to `sink` one by one, finish() included. Throws Error of every kind; the
  /// sink is then left unfinished. Phases: "read pictures", "encode reference", "load UNet", "sample", "decode", and
  /// with a job "write video"; of a video in several segments "sample 1/3", "decode 1/3", …; loading CLIP and the
  /// autoencoder belongs to the phase that needs them. A step of "sample" is a call of the UNet.
  ///
  /// With several processes all must call this with the same request. Only the first hands out frames, keeps a job and
  /// writes previews; the others return when they are no longer needed. Models that a job's saved work makes needless
  /// are not loaded, and their phases left out.
  AnimateReport animate(const family::AnimateRequest& request, FrameSink& sink, Progress& progress,
                        const AnimateOptions& options = {});

 private:
  struct State;
  class Production;
  explicit Animator(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace unianimate::pipeline
