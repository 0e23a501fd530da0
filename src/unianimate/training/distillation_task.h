// Consistency distillation of the denoising UNet: from a teacher of many guided steps to a student of a few without
// guidance. The losses are those of consistency_loss.h.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/core/random_stream.h"
#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/family/distillation.h"
#include "unianimate/fields/words.h"
#include "unianimate/training/consistency_loss.h"
#include "unianimate/training/footage.h"
#include "unianimate/training/lora_adapters.h"
#include "unianimate/training/task.h"
#include "unianimate/training/unet_clips.h"

namespace unianimate::training {

enum class DistilledConditions { kReference, kFirstFrame, kBoth };
constexpr auto words(DistilledConditions /*of*/) {
  return std::array<fields::Word<DistilledConditions>, 3>{{{DistilledConditions::kReference, "reference"},
                                                           {DistilledConditions::kFirstFrame, "first-frame"},
                                                           {DistilledConditions::kBoth, "both"}}};
}

struct DistillationOptions {
  DistillationMethod method = DistillationMethod::kLcm;
  std::int64_t steps = 4;  ///< that it will be sampled with, as its file says; with kPhased the number of phases
  double guidance = 2.5;   ///< of the teacher
  DistilledConditions conditions = DistilledConditions::kReference;  ///< with kBoth each for half of the microbatches
  double noise_prior = 0.5;          ///< share of the clips at timestep 999 that begin as videos do: see start_latent()
  std::optional<double> target_ema;  ///< decay of the target network's weights; none: 0.95. Not with corrections
  std::int64_t frames = 8;           ///< of a clip
  double coherent_share = 1;         ///< of the clips, whose frames follow each other; the others are shuffled moments
  double offset_noise = 0.1;         ///< deviation of a shift of each channel of each frame, added to the noise

  /// Throws Error(kUsage) that names the field.
  void check() const;
};

/// The networks of a distillation. `student` holds the UNet that is trained and what goes with it.
struct DistillationModels {
  UNetTaskModels student;
  std::unique_ptr<models::UNet> teacher;  ///< null with corrections: the student without them
  std::unique_ptr<models::UNet> target;   ///< null with corrections: the student itself
  std::string base;                       ///< checkpoint::weights_hash() of the teacher's file
};

/// Student, teacher and target begin alike. Clips are drawn as for UNetTask, conditions are never left out: guidance is
/// learnt, and what is unconditional is the teacher's alone.
class DistillationTask : public Task {
 public:
  DistillationTask(DistillationModels models, std::shared_ptr<const FootageSource> footage,
                   std::shared_ptr<const FootageSource> kept_aside, const DistillationOptions& options,
                   std::int64_t batch, std::int64_t microbatches, std::uint64_t seed, bool keep_latents);

  /// Of the UNet, or its corrections, under "unet.".
  [[nodiscard]] NamedTensors parameters() const override;
  [[nodiscard]] NamedTensors exact_parameters() override;
  [[nodiscard]] Loss loss(std::int64_t microbatch, double progress) override;
  void collect_gradients() override;
  void step_done() override;
  void parameters_changed() override;
  /// The target's weights in 32 bits.
  [[nodiscard]] NamedTensors state() const override;
  /// "validation": how far the clean latents of clips kept aside are from the teacher's of 50 guided steps,
  /// ‖difference‖ / ‖teacher's‖, in one step, or with phases in as many as these.
  [[nodiscard]] Measurements validate() override;
  /// Besides poses and truth, the teacher's 50 steps, and the student's.
  [[nodiscard]] Image sample_sheet(const Progress& progress) override;
  /// The UNet with the autoencoder and CLIP, or lora.safetensors alone, and how they are to be sampled.
  void export_model(const std::filesystem::path& folder) const override;

 private:
  [[nodiscard]] const models::UNet& teacher() const { return teacher_ ? *teacher_ : *models_.unet; }
  [[nodiscard]] const models::UNet& target() const { return target_ ? *target_ : *models_.unet; }
  void let_target_follow() const;
  [[nodiscard]] at::Tensor guided_v(const at::Tensor& z, const at::Tensor& timesteps,
                                    const models::EncodedConditions& conditional,
                                    const models::EncodedConditions& unconditional) const;
  [[nodiscard]] at::Tensor consistency_target(const ConsistencySteps& steps, const at::Tensor& z,
                                              const models::UNetConditions& given) const;
  [[nodiscard]] at::Tensor sample_teacher(const ClipBatch& batch, const Conditions& set,
                                          const Progress& progress) const;
  [[nodiscard]] at::Tensor sample_student(const ClipBatch& batch, const Conditions& set,
                                          const diffusion::SamplerOptions& sampling, const Progress& progress) const;

  UNetTaskModels models_;
  std::unique_ptr<models::UNet> teacher_;
  std::unique_ptr<models::UNet> target_;
  UNetClips clips_;
  std::optional<LoraAdapters> adapters_;
  DistillationOptions options_;
  std::vector<Conditions> sets_;  ///< to be distilled
  family::Distillation distillation_;
  std::uint64_t seed_;
  diffusion::NoiseSchedule schedule_;
  NamedTensors target_weights_;  ///< in 32 bits; the target's own where it has these
  /// What the teacher makes of clips kept aside, by set and number.
  std::map<std::pair<std::size_t, std::int64_t>, at::Tensor> teacher_latents_;
};

}  // namespace unianimate::training
