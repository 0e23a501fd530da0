// What an animation would take, worked out before any model is loaded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unianimate/core/device.h"
#include "unianimate/models/unet/unet.h"
#include "unianimate/pipeline/lora.h"
#include "unianimate/pipeline/model_files.h"
#include "unianimate/pipeline/pose_folder.h"
#include "unianimate/pipeline/preview_options.h"
#include "unianimate/pipeline/request.h"

namespace unianimate::pipeline {

struct RuntimeOptions {
  Compute compute;                 ///< from choose_compute()
  std::int64_t memory_budget = 0;  ///< bytes of the compute device's memory this process may use; 0: what is available
  std::vector<LoraFile> loras;     ///< added to the UNet when it is loaded
  bool allow_nonfinite = false;    ///< use weights that are not finite, with a note, instead of refusing them
  /// Bytes of latents that lie in memory; those of longer clips lie in a file in the system's folder for such.
  std::int64_t latent_memory = 256'000'000;
};

/// What Animator::animate() would do.
struct AnimatePlan {
  PoseFolder pose_folder;
  PoseSelection selection;       ///< which poses become frames
  models::LatentShape latent{};  ///< of the whole clip
  int output_width = 0;          ///< of the frames the sink is given: three times as wide for a comparison
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
std::int64_t side_unit(const ModelConfigs& configs);

/// Throws Error(kUsage) naming the nearest size where the sides are not multiples of side_unit().
void check_size(int width, int height, const ModelConfigs& configs);

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
  AnimationPlanner(ModelConfigs configs, RuntimeOptions options, const PreviewOptions& preview = {});

  /// Checks the request against the files it names and works out what it takes. Throws Error(kUsage) or Error(kInput)
  /// for whatever would stop the animation, Error(kEnvironment) where the memory budget is too small.
  [[nodiscard]] AnimatePlan plan(const AnimateRequest& request) const;
  /// The same where the request's pose folder is still to be made and will hold so many poses; looks at no file.
  [[nodiscard]] AnimatePlan plan_for_poses(const AnimateRequest& request, std::int64_t poses) const;

 private:
  [[nodiscard]] std::int64_t sampling_bytes(const AnimateRequest& request, const AnimatePlan& plan) const;
  [[nodiscard]] std::int64_t decoding_bytes(const AnimateRequest& request) const;
  [[nodiscard]] std::int64_t picture_bytes(const AnimateRequest& request, const AnimatePlan& plan) const;
  [[nodiscard]] std::int64_t bytes_per_clip(const AnimateRequest& request, const AnimatePlan& plan) const;
  void plan_memory(const AnimateRequest& request, AnimatePlan& plan) const;

  ModelConfigs configs_;
  RuntimeOptions options_;
  PreviewOptions preview_;
  ModelBytes bytes_;
  std::vector<std::string> model_notes_;
};

/// AnimationPlanner for one animation.
AnimatePlan plan_animation(const AnimateRequest& request, const ModelConfigs& configs, const RuntimeOptions& options,
                           const PreviewOptions& preview = {});

/// Seconds that sampling the plan is likely to take, from the speed of convolutions on this machine, which the first
/// call for a device and number format measures for about a second.
double estimate_seconds(const AnimatePlan& plan, const Compute& compute);

}  // namespace unianimate::pipeline
