// Training the autoencoder.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/training/batch_order.h"
#include "unianimate/training/decoder_inputs.h"
#include "unianimate/training/footage.h"
#include "unianimate/training/task.h"

namespace unianimate::training {

struct AutoencoderLossOptions {
  double l1 = 1;
  double l2 = 2;
  double edges = 1;           ///< of the absolute error of differences between neighbouring pixels
  double figure = 1;          ///< by how much more the figure counts than what is behind it
  double faces = 0;           ///< by how much more than that faces count
  double kl = 0.01;           ///< of the divergence from N(0, 1), mean over the latent's values
  double anchor = 2;          ///< of the distance of the first three latent channels from twice the shrunk picture …
  double anchor_until = 0.4;  ///< … falling to nothing at this share of the training
  /// Noise added to what the decoder is given, so that it forgives the denoiser's errors: its deviation, in units of
  /// each channel's own, is drawn for each picture between 0 and this.
  double latent_noise = 0;
  std::vector<CropPhase> crops;

  /// Throws Error(kUsage) that names the field.
  void check() const;
};

class AutoencoderTask : public Task {
 public:
  /// `model` has its first weights. `kept_aside` is loaded here and now. `microbatches`: of one step over all
  /// processes. With `normalize`, exported models have latents of mean 0 and deviation 1 in every channel, by a change
  /// of quant_conv and post_quant_conv that decoding undoes; not for a model whose latents a UNet knows.
  AutoencoderTask(std::unique_ptr<models::Autoencoder> model, family::ModelDescription description,
                  std::shared_ptr<const FootageSource> footage, const FootageSource& kept_aside,
                  const AutoencoderLossOptions& options, std::int64_t batch, std::int64_t microbatches,
                  std::uint64_t seed, bool normalize);

  [[nodiscard]] NamedTensors parameters() const override { return model_->named_parameters(); }
  [[nodiscard]] Loss loss(std::int64_t microbatch, double progress) override;
  [[nodiscard]] Measurements validate() override;
  [[nodiscard]] Image sample_sheet(const Progress& progress) override;
  void export_model(const std::filesystem::path& folder) const override;

 private:
  /// Pictures (N, 3, H, W) in [-1, 1] and where the figure and its face are (N, 1, H, W).
  struct Batch {
    at::Tensor pictures;
    at::Tensor figure;
    at::Tensor faces;
  };
  [[nodiscard]] Batch load(const FootageSource& source, const std::vector<std::int64_t>& items) const;
  /// Pictures (N, 3, H, W) there and back by the posterior's mean, in 32-bit floats.
  [[nodiscard]] at::Tensor reconstruct(const at::Tensor& pictures) const;
  [[nodiscard]] NamedTensors normalized_parameters() const;

  std::unique_ptr<models::Autoencoder> model_;
  at::Device device_;
  family::ModelDescription description_;
  std::shared_ptr<const FootageSource> footage_;
  AutoencoderLossOptions options_;
  BatchOrder order_;
  std::uint64_t seed_;
  bool normalize_;
  Batch kept_aside_;
};

}  // namespace unianimate::training
