// Clips for trainings of the denoising UNet: which frames of which material, as latents and conditions; and what a UNet
// makes of them, for people to look at.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/core/random_stream.h"
#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/diffusion/sampler_options.h"
#include "unianimate/family/condition_set.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/media/pictures/image.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/unet/unet.h"
#include "unianimate/training/batch_order.h"
#include "unianimate/training/footage.h"
#include "unianimate/training/latent_cache.h"
#include "unianimate/training/lora_adapters.h"

namespace unianimate::training {

/// The models of a training; `clip_visual` is trained, too, where `train_clip`.
struct UNetTaskModels {
  family::ModelDescription description;
  std::unique_ptr<models::UNet> unet;
  std::unique_ptr<models::Autoencoder> autoencoder;
  std::unique_ptr<models::ClipVisual> clip_visual;
  std::unique_ptr<models::ClipText> clip_text;
  /// What is trained with 32 bits, where `unet` and `clip_visual` have fewer; else null.
  std::unique_ptr<models::UNet> exact_unet;
  std::unique_ptr<models::ClipVisual> exact_visual;
  bool train_clip = false;
  LoraOptions lora;  ///< with a rank, corrections of the UNet are trained and not the UNet
};

/// Those that are given; none for the unconditional model of guidance.
using Conditions = std::vector<family::Condition>;

/// {image, randomref, dwpose} and {image, local_image, dwpose}.
Conditions reference_set();
Conditions first_frame_set();
/// The second begins with its reference picture.
bool begins_with_reference(const Conditions& set);

/// A clip of one item, by the indices of its moments.
struct ClipTake {
  std::int64_t reference = 0;
  std::vector<std::int64_t> frames;
};

/// Clips that go through the UNet together.
struct ClipBatch {
  at::Tensor moments;            ///< (B, F, 2·z, h, w) of the frames' posteriors
  at::Tensor reference_moments;  ///< (B, 2·z, h, w)
  at::Tensor poses;              ///< uint8 (B, 1 + F, H, W, 3), the reference's first
  at::Tensor reference;          ///< uint8 (B, H, W, 3)
};

struct CleanLatents {
  at::Tensor clips;      ///< (B, 4, F, h, w)
  at::Tensor reference;  ///< (B, 4, h, w)
};

/// A clip of the material kept aside, the same every time.
struct KeptAsideClip {
  ClipBatch batch;      ///< of one
  at::Tensor pictures;  ///< uint8 (F, H, W, 3)
  std::uint64_t seed = 0;
};

/// The v prediction of the latent (1, 4, F, h, w) at the timestep, int64 (1).
using VPrediction = std::function<at::Tensor(const at::Tensor& x, const at::Tensor& timestep)>;

class UNetClips {
 public:
  /// `models` must outlive this. Clips have `frames` frames.
  UNetClips(const UNetTaskModels& models, std::shared_ptr<const FootageSource> footage,
            std::shared_ptr<const FootageSource> kept_aside, std::int64_t frames, std::int64_t batch,
            std::int64_t microbatches, std::uint64_t seed, bool keep_latents);

  [[nodiscard]] at::Device device() const { return device_; }
  [[nodiscard]] const at::Tensor& empty_prompt() const { return empty_prompt_; }

  /// The material of a microbatch; that of the next ones is then made ready.
  [[nodiscard]] std::vector<std::shared_ptr<const EncodedFootage>> items_of(std::int64_t microbatch);
  [[nodiscard]] ClipTake take(const Footage& footage, bool coherent, bool from_reference, RandomStream& random) const;
  [[nodiscard]] ClipBatch assemble(const std::vector<std::shared_ptr<const EncodedFootage>>& items,
                                   const std::vector<ClipTake>& takes) const;

  [[nodiscard]] std::int64_t kept_aside() const { return kept_aside_->size(); }
  [[nodiscard]] KeptAsideClip kept_aside_clip(std::int64_t index, const Conditions& set);

  /// Samples of the posteriors, scaled.
  [[nodiscard]] CleanLatents sample_latents(const ClipBatch& batch, at::Generator generator) const;
  /// The posterior's mean, scaled: what a video is made with.
  [[nodiscard]] at::Tensor reference_latent(const ClipBatch& batch) const;
  /// N(0, 1) of the clips' shape, with a shift of deviation `offset` of each channel of each frame.
  [[nodiscard]] at::Tensor noise(const at::Tensor& clips, double offset, at::Generator generator) const;

  [[nodiscard]] models::UNetConditions conditions(const ClipBatch& batch, const Conditions& set,
                                                  const at::Tensor& reference_latent) const;
  /// The same, as `unet` takes them.
  [[nodiscard]] models::EncodedConditions encode(const models::UNet& unet, const ClipBatch& batch,
                                                 const Conditions& set, const at::Tensor& reference_latent) const;

  /// The clean latent (1, 4, F, h, w) of one clip, from the noise prior of the model's defaults and always the same
  /// noise. `progress` may cancel.
  [[nodiscard]] at::Tensor sample(const ClipBatch& batch, const diffusion::SamplerOptions& sampling,
                                  const VPrediction& v, const Progress& progress) const;

  /// For some clips kept aside: poses, reference and truth, and a row for each of `makers`, which make clean latents.
  using Maker = std::function<at::Tensor(const ClipBatch& batch, const Conditions& set)>;
  [[nodiscard]] Image sample_sheet(const std::vector<Conditions>& sets, const std::vector<Maker>& makers);

 private:
  [[nodiscard]] at::Tensor embed_picture(const at::Tensor& pictures) const;

  const UNetTaskModels& models_;
  std::shared_ptr<const FootageSource> footage_;
  std::shared_ptr<const FootageSource> kept_aside_;
  std::int64_t frames_;
  BatchOrder order_;
  diffusion::NoiseSchedule schedule_;
  at::Tensor empty_prompt_;
  at::Device device_;
  LatentCache cache_;
  LatentCache kept_aside_cache_;
};

}  // namespace unianimate::training
