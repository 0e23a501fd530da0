// What an animation would take, worked out before any model is loaded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/family/family.h"
#include "unianimate/family/pose_folder.h"
#include "unianimate/family/request.h"
#include "unianimate/pipeline/preview_options.h"

namespace unianimate::pipeline {

/// What animate() will do.
struct AnimatePlan {
  family::AnimateRequest request;  ///< what was planned; may be put in anew where only seed and reference differ
  family::PoseFolder pose_folder;
  family::PoseSelection selection;  ///< which poses become frames
  std::int64_t frame_count = 0;
  family::ClipShape latent{};     ///< of the whole video as one clip
  std::int64_t latent_bytes = 0;  ///< of that
  std::int64_t kept_bytes = 0;    ///< of the latent and what is kept beside it from step to step
  int output_width = 0;           ///< of the frames the sink is given: three times as wide for a comparison
  int output_height = 0;
  std::int64_t timesteps = 0;        ///< steps of the sampler
  std::int64_t windows = 0;          ///< context windows of the first step, of all segments together
  std::int64_t segments = 0;         ///< see video_segments()
  std::int64_t largest_segment = 0;  ///< its frames
  std::int64_t model_calls = 0;      ///< passes of a batch of windows through the model, all steps together
  double pass_equivalents = 0;       ///< as many as these take: less than one where deep features are reused
  double model_operations = 0;       ///< floating-point operations of these, a multiply-add counted as two
  double decoding_operations = 0;    ///< of the video's frames and of previews that are decoded
  std::optional<family::DecoderChoice> preview_decoder;  ///< none: Reference::preview(), or no previews
  std::int64_t feature_bytes = 0;                        ///< of deep features that are reused from step to step
  std::int64_t carried_bytes = 0;                        ///< of the states that windows leave to the next
  std::int64_t peak_bytes = 0;                           ///< estimated highest memory of the process, models included
  family::Residency residency;     ///< which models stay for the next animation, as the memory allows
  std::vector<std::string> notes;  ///< what was adjusted or assumed, and why

  [[nodiscard]] std::int64_t frames() const { return frame_count; }
};

/// Throws Error(kUsage) naming the nearest size where the sides are not multiples of geometry.side_unit.
void check_size(int width, int height, const family::ClipGeometry& geometry);

/// Plans any number of animations with the same models on the same machine; what they have in common is worked out
/// once.
class AnimationPlanner {
 public:
  /// `family` must outlive this; loads no model. `sink_pixel_bytes`: what whoever takes the frames needs of memory, for
  /// each pixel of one frame. Throws as Family::check() does.
  explicit AnimationPlanner(const family::Family& family, const PreviewOptions& preview = {},
                            std::int64_t sink_pixel_bytes = 0);

  /// Checks the request against the files it names and works out what it takes. Throws Error(kUsage) or Error(kInput)
  /// for whatever would stop the animation, Error(kEnvironment) where the memory budget is too small.
  [[nodiscard]] AnimatePlan plan(const family::AnimateRequest& request) const;
  /// The same where the request's pose folder is still to be made and will hold so many poses; looks at no file.
  [[nodiscard]] AnimatePlan plan_for_poses(const family::AnimateRequest& request, std::int64_t poses) const;

 private:
  void plan_sampling(AnimatePlan& plan) const;
  void plan_decoding(AnimatePlan& plan) const;
  void plan_memory(AnimatePlan& plan) const;
  [[nodiscard]] std::int64_t bytes_beside_models(const AnimatePlan& plan, const family::Workload& work) const;

  const family::Family& family_;
  PreviewOptions preview_;
  std::int64_t sink_pixel_bytes_;
  std::vector<std::string> model_notes_;
  std::optional<family::DecoderChoice> preview_decoder_;
};

/// AnimationPlanner for one animation.
AnimatePlan plan_animation(const family::AnimateRequest& request, const family::Family& family,
                           const PreviewOptions& preview = {}, std::int64_t sink_pixel_bytes = 0);

}  // namespace unianimate::pipeline
