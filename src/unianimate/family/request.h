// What one animation is to be: the plain facts, checked before any long work.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "unianimate/diffusion/context_windows.h"
#include "unianimate/diffusion/sampler_options.h"
#include "unianimate/diffusion/shortcuts.h"
#include "unianimate/diffusion/start_latent.h"
#include "unianimate/family/condition_set.h"
#include "unianimate/family/pose_folder.h"
#include "unianimate/fields/words.h"
#include "unianimate/media/pictures/color.h"
#include "unianimate/media/pictures/framing.h"

namespace unianimate::family {

constexpr std::int64_t kLargestDecodeBatch = 64;

/// A video in segments, each of which begins with the last frames of the one before: the first of these is its
/// local_image.
struct ChainOptions {
  std::int64_t segment_size = 0;     ///< frames at most in a segment; 0: the context size. More: windows in segments
  std::int64_t segment_overlap = 1;  ///< frames that two segments share, at least 1; one fades into the other in them
  bool color_match = false;          ///< give each segment the reference's mean and spread of each colour channel

  /// Throws Error(kUsage).
  void check() const;
};

/// Settings that make a video in less work, see presets.h.
enum class Preset { kExact, kClose, kBalanced, kDraft, kSketch };
constexpr auto words(Preset /*of*/) {
  return std::array<fields::Word<Preset>, 5>{{{Preset::kExact, "exact"},
                                              {Preset::kClose, "close"},
                                              {Preset::kBalanced, "balanced"},
                                              {Preset::kDraft, "draft"},
                                              {Preset::kSketch, "sketch"}}};
}

/// What makes pictures of latents: the autoencoder's own decoder, or a small one that was trained to do as it does.
enum class DecoderChoice { kFull, kSmall };
constexpr auto words(DecoderChoice /*of*/) {
  return std::array<fields::Word<DecoderChoice>, 2>{{{DecoderChoice::kFull, "full"}, {DecoderChoice::kSmall, "small"}}};
}

/// The defaults are those of the published short configuration; where a video needs more than one context window they
/// lie where that measures best.
struct AnimateRequest {
  std::filesystem::path reference;  ///< picture of the person
  std::optional<Color> background;  ///< shows where the reference is transparent; see read_reference()
  std::filesystem::path poses;      ///< folder of pose pictures and ref_pose.jpg
  PoseOrder pose_order = PoseOrder::kNatural;
  Framing framing;                          ///< what the video shows of the reference and of every pose picture
  int width = 512;                          ///< pixels; see check_size()
  int height = 768;                         ///< pixels
  std::optional<std::int64_t> frames = 32;  ///< frames to make; none: as many as the poses give
  std::int64_t frame_interval = 2;          ///< take every so many-th pose
  diffusion::SamplerOptions sampling;
  double guidance_scale = 2.5;  ///< 1 switches guidance off and halves the work
  diffusion::ShortcutOptions shortcuts;
  Preset preset = Preset::kExact;  ///< where some of these settings are from; sets nothing itself, see with_preset()
  std::uint64_t seed = 11;
  std::int64_t noise_prior = 949;  ///< timestep of the noise put on the reference to start from, 0 … 999
  diffusion::NoisePriorOrder noise_prior_order = diffusion::NoisePriorOrder::kShort;
  diffusion::ContextWindowOptions context;
  std::optional<ChainOptions> chain;  ///< none: the whole video by context windows
  ConditionSet conditions;
  DecoderChoice decoder = DecoderChoice::kFull;
  std::int64_t decode_batch = 1;  ///< frames decoded at once
  bool comparison = false;        ///< three columns: reference, pose, result

  /// Throws Error(kUsage) that names the field, what was expected and what was given. Looks neither at files nor at
  /// models.
  void check() const;
};

}  // namespace unianimate::family
