// What an animation would take, worked out before any model is loaded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unianimate/core/device.h"
#include "unianimate/family/pose_folder.h"
#include "unianimate/family/request.h"
#include "unianimate/family/runtime_options.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/models/unet/unet.h"
#include "unianimate/pipeline/preview_options.h"

namespace unianimate::pipeline {

/// What Animator::animate() would do.
struct AnimatePlan {
  family::PoseFolder pose_folder;
  family::PoseSelection selection;  ///< which poses become frames
  models::LatentShape latent{};     ///< of the whole clip
  int output_width = 0;             ///< of the frames the sink is given: three times as wide for a comparison
  int output_height = 0;
  std::int64_t timesteps = 0;        ///< steps of the sampler
  std::int64_t windows = 0;          ///< context windows of the first step, of all segments together
  std::int64_t segments = 0;         ///< see video_segments()
  std::int64_t largest_segment = 0;  ///< its frames
  std::int64_t unet_calls = 0;       ///< passes of a batch of windows through the UNet, all steps together
  double unet_operations = 0;        ///< floating-point operations of these, a multiply-add counted as two
  std::int64_t peak_bytes = 0;       ///< estimated highest memory of the process, models included
  bool keeps_all_models = false;     ///< all models stay for the next animation
  bool keeps_unet = false;           ///< at least the UNet stays; CLIP and autoencoder come and go to fit the budget
  std::vector<std::string> notes;    ///< what was adjusted or assumed, and why

  [[nodiscard]] std::int64_t frames() const { return latent.frames; }
};

/// What the sides of a video are multiples of: 64 for the published models.
std::int64_t side_unit(const family::ModelConfigs& configs);

/// Throws Error(kUsage) naming the nearest size where the sides are not multiples of side_unit().
void check_size(int width, int height, const family::ModelConfigs& configs);

/// Bytes of each model's weights.
struct ModelBytes {
  std::int64_t unet = 0;
  std::int64_t autoencoder = 0;
  std::int64_t clip_visual = 0;
  std::int64_t clip_text = 0;
};

/// Plans any number of animations with the same models on the same machine; what they have in common is worked out
/// once.
class AnimationPlanner {
 public:
  /// Loads no model. Throws as check_loras() does.
  AnimationPlanner(family::ModelConfigs configs, family::RuntimeOptions options, const PreviewOptions& preview = {});

  /// Checks the request against the files it names and works out what it takes. Throws Error(kUsage) or Error(kInput)
  /// for whatever would stop the animation, Error(kEnvironment) where the memory budget is too small.
  [[nodiscard]] AnimatePlan plan(const family::AnimateRequest& request) const;
  /// The same where the request's pose folder is still to be made and will hold so many poses; looks at no file.
  [[nodiscard]] AnimatePlan plan_for_poses(const family::AnimateRequest& request, std::int64_t poses) const;

 private:
  [[nodiscard]] std::int64_t sampling_bytes(const family::AnimateRequest& request, const AnimatePlan& plan) const;
  [[nodiscard]] std::int64_t decoding_bytes(const family::AnimateRequest& request) const;
  [[nodiscard]] std::int64_t picture_bytes(const family::AnimateRequest& request, const AnimatePlan& plan) const;
  [[nodiscard]] std::int64_t bytes_per_clip(const family::AnimateRequest& request, const AnimatePlan& plan) const;
  void plan_memory(const family::AnimateRequest& request, AnimatePlan& plan) const;

  family::ModelConfigs configs_;
  family::RuntimeOptions options_;
  PreviewOptions preview_;
  ModelBytes bytes_;
  std::vector<std::string> model_notes_;
};

/// AnimationPlanner for one animation.
AnimatePlan plan_animation(const family::AnimateRequest& request, const family::ModelConfigs& configs,
                           const family::RuntimeOptions& options, const PreviewOptions& preview = {});

/// Seconds that sampling the plan is likely to take, from the speed of convolutions on this machine, which the first
/// call for a device and number format measures for about a second.
double estimate_seconds(const AnimatePlan& plan, const Compute& compute);

}  // namespace unianimate::pipeline
