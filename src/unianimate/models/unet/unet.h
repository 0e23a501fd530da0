// The denoising UNet of UniAnimate: from a noisy latent clip and its conditions to the v prediction.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/models/unet/condition_stems.h"
#include "unianimate/models/unet/config.h"
#include "unianimate/models/unet/residual_block.h"
#include "unianimate/models/unet/transformer.h"

namespace unianimate::models {

/// What a clip is conditioned on. Every tensor may be undefined: that condition is then absent. Strides are free.
struct UNetConditions {
  at::Tensor image{};        ///< (B, 1, context_dim) CLIP embedding of the reference picture
  at::Tensor dwpose{};       ///< (B, 3, 1+F, H, W) pose pictures in [0, 1], the reference's own pose first
  at::Tensor randomref{};    ///< (B, 4, ≥1, h, w) scaled latent of the reference; only its first frame is used
  at::Tensor local_image{};  ///< (B, 3, F, H, W) picture in [0, 1] to start from, repeated over the frames
};

/// Conditions after everything that does not depend on the timestep has been computed.
struct EncodedConditions {
  at::Tensor concat;                       ///< (B, F, h, w, concat_dim) beside the latent of each frame
  at::Tensor reference;                    ///< (B, 1, h, w, input_channels) the frame put before the clip
  std::vector<ContextKeysValues> context;  ///< one for each spatial transformer, in order of use
};

/// What a pass keeps of the network's depth so that passes of the same clip at later timesteps need not compute it
/// (DeepCache, Ma, Fang and Wang, CVPR 2024). Of n input_blocks, those up to number `cut` and as many of the last
/// output_blocks are still computed; 0 … n − 2.
struct DeepFeatures {
  std::int64_t cut = 0;
  at::Tensor kept{};  ///< (B, 1 + F, h', w', C) that enters output_blocks n − 1 − cut, before its skip is put beside it
};

/// What the temporal Mambas know, going forward, of the clip before a window of it.
struct CarriedStates {
  std::vector<MambaState> blocks{};  ///< one for each, in order of use; none: the clip begins with this window
  std::int64_t keep_after = 0;       ///< latents after which the next window begins, 1 … F; 0: there is none
};

/// Size of a clip of latents.
struct LatentShape {
  std::int64_t batch;
  std::int64_t frames;
  std::int64_t height;  ///< h = H/8
  std::int64_t width;   ///< w = W/8
};

/// One entry of input_blocks or output_blocks: those parts that are present, applied in this order.
struct UNetBlock {
  std::optional<ResBlock> residual;
  std::optional<SpatialTransformer> spatial;
  std::optional<TemporalTransformer> temporal;
  std::optional<Downsample> downsample;
  std::optional<Upsample> upsample;
};

/// Parameters carry the published checkpoint's names. Calls are const and thread-safe; gradients flow through all
/// inputs and parameters where they are asked for.
class UNet : public nn::Module {
 public:
  /// Throws Error(kUsage) through config.check(). Parameters are made in `options`' dtype and on its device.
  UNet(const UNetConfig& config, const at::TensorOptions& options);

  [[nodiscard]] const UNetConfig& config() const { return config_; }

  /// Whether blocks run a second time for the gradients instead of keeping everything in between: a third more time for
  /// a fraction of the memory. Without gradients it changes nothing.
  void set_recompute(bool recompute) { recompute_ = recompute; }

  /// `empty_prompt`: (1, 77, context_dim), the text embedding of "" (published name zero_y).
  /// Throws Error(kUsage) where shapes do not fit together.
  [[nodiscard]] EncodedConditions encode(const UNetConditions& conditions, const at::Tensor& empty_prompt,
                                         const LatentShape& shape) const;

  /// The v prediction (B, 4, F, h, w) for the noisy latent x (B, 4, F, h, w) at integer timesteps (B).
  /// h and w must be multiples of config().downscale(). With `features` they are put there, or where they are there
  /// already taken instead of computed. With `carried`, for inference and without features, the temporal Mambas go on
  /// from those states, which become the next window's. Throws Error(kUsage) for a cut that the network does not have,
  /// and where states cannot be carried.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const at::Tensor& timesteps,
                                      const EncodedConditions& conditions, DeepFeatures* features = nullptr,
                                      CarriedStates* carried = nullptr) const;

 private:
  [[nodiscard]] at::Tensor encode_concat(const UNetConditions& conditions, const LatentShape& shape) const;
  [[nodiscard]] at::Tensor encode_reference(const UNetConditions& conditions, const LatentShape& shape) const;
  [[nodiscard]] at::Tensor context_tokens(const UNetConditions& conditions, const at::Tensor& empty_prompt,
                                          std::int64_t batch) const;
  [[nodiscard]] at::Tensor join_input(const at::Tensor& latent, const EncodedConditions& conditions) const;
  void check_input(const at::Tensor& latent, const at::Tensor& timesteps, const EncodedConditions& conditions) const;
  void check_cut(std::int64_t cut) const;
  void check_carried(const CarriedStates& carried, const at::Tensor& latent, const DeepFeatures* features) const;
  [[nodiscard]] at::Tensor embed_time(const at::Tensor& timesteps) const;

  void build_encoder();
  void build_decoder();
  void fill_block(UNetBlock& block, std::int64_t in, std::int64_t out, bool attention, const std::string& name);
  [[nodiscard]] std::int64_t deepest_width() const { return config_.dim * config_.dim_mult.back(); }

  UNetConfig config_;
  at::TensorOptions options_;
  bool recompute_ = false;

  nn::Linear time_embed0_;
  nn::Linear time_embed2_;
  nn::Linear image_condition0_;
  nn::Linear image_condition2_;
  PictureStem local_image_stem_;
  StemTransformer local_image_after_;
  PictureStem dwpose_stem_;
  StemTransformer dwpose_after_;
  PictureStem reference_pose_stem_;
  StemTransformer reference_pose_after_;
  LatentStem reference_stem_;
  StemTransformer reference_after_;

  nn::Conv2d conv_in_;
  TemporalTransformer temporal_in_;
  std::vector<std::unique_ptr<UNetBlock>> encoder_;  ///< input_blocks from index 1 on
  ResBlock middle_residual0_;
  SpatialTransformer middle_spatial_;
  TemporalTransformer middle_temporal_;
  ResBlock middle_residual3_;
  std::vector<std::unique_ptr<UNetBlock>> decoder_;  ///< output_blocks
  nn::GroupNorm norm_out_;
  nn::Conv2d conv_out_;
  std::vector<std::int64_t> skip_channels_;  ///< of input_blocks, in order
};

}  // namespace unianimate::models
