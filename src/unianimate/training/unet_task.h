// Training the denoising UNet, and the CLIP tower with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/core/random_stream.h"
#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/training/footage.h"
#include "unianimate/training/lora_adapters.h"
#include "unianimate/training/task.h"
#include "unianimate/training/unet_clips.h"

namespace unianimate::training {

struct UNetLossOptions {
  std::int64_t frames = 8;        ///< of a clip
  double figure_weight = 2;       ///< by how much more the figure counts than what is behind it
  double high_noise_share = 0.5;  ///< of the timesteps, drawn from high_noise_from … 999; the others from all
  std::int64_t high_noise_from = 500;
  double coherent_share = 0.4;      ///< of the clips, whose frames follow each other; the others are shuffled moments
  double reference_share = 0.58;    ///< of the microbatches: all of {image, randomref, dwpose}
  double first_frame_share = 0.24;  ///< {image, local_image, dwpose}; these clips are coherent
  double empty_share = 0.08;        ///< nothing; what is left of 1 has each of {image, randomref, dwpose} by chance
  double offset_noise = 0.1;        ///< deviation of a shift of each channel of each frame, added to the noise

  /// Throws Error(kUsage) that names the field.
  void check() const;
};

/// Mean squared error of v = √ᾱ ε − √(1−ᾱ) x0 (Salimans and Ho, ICLR 2022) with ε = N(0, 1) + offset.
class UNetTask : public Task {
 public:
  UNetTask(UNetTaskModels models, std::shared_ptr<const FootageSource> footage,
           std::shared_ptr<const FootageSource> kept_aside, const UNetLossOptions& options, std::int64_t batch,
           std::int64_t microbatches, std::uint64_t seed, bool keep_latents);

  /// Of the UNet, or its corrections, under "unet.", of the tower under "visual.".
  [[nodiscard]] NamedTensors parameters() const override;
  [[nodiscard]] NamedTensors exact_parameters() override;
  [[nodiscard]] Loss loss(std::int64_t microbatch, double progress) override;
  void collect_gradients() override;
  void parameters_changed() override;
  [[nodiscard]] Measurements validate() override;
  [[nodiscard]] Image sample_sheet(const Progress& progress) override;
  /// With corrections: lora.safetensors, and CLIP where it is trained, too.
  void export_model(const std::filesystem::path& folder) const override;

 private:
  [[nodiscard]] Conditions draw_conditions(RandomStream& random) const;

  struct Prediction {
    at::Tensor squared_error;  ///< (B, 4, F, h, w)
    at::Tensor figure;         ///< (B, 1, F, h, w), 1 where the figure is
  };
  [[nodiscard]] Prediction predict(const ClipBatch& batch, const Conditions& set,
                                   const std::vector<std::int64_t>& timesteps, at::Generator generator) const;

  UNetTaskModels models_;
  UNetClips clips_;
  std::optional<LoraAdapters> adapters_;
  UNetLossOptions options_;
  std::uint64_t seed_;
  diffusion::NoiseSchedule schedule_;
};

}  // namespace unianimate::training
