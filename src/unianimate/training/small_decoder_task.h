// Training a small decoder against the pictures of the autoencoder's own.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/autoencoder/small_decoder.h"
#include "unianimate/training/batch_order.h"
#include "unianimate/training/decoder_inputs.h"
#include "unianimate/training/footage.h"
#include "unianimate/training/task.h"

namespace unianimate::training {

struct SmallDecoderLossOptions {
  double l1 = 1;
  double l2 = 2;
  double edges = 1;            ///< of edge_error() in the pictures and in these halved once and twice, one third each
  double latent_noise = 0.25;  ///< see with_errors(): what a sampler leaves is to be decoded as the large one does it
  std::vector<CropPhase> crops;

  /// Throws Error(kUsage) that names the field.
  void check() const;
};

class SmallDecoderTask : public Task {
 public:
  /// `model` has its first weights; `autoencoder`, in 32 bits, stays as it is. `microbatches`: of one step over all
  /// processes.
  SmallDecoderTask(std::unique_ptr<models::SmallDecoder> model, std::unique_ptr<models::Autoencoder> autoencoder,
                   family::ModelDescription description, std::shared_ptr<const FootageSource> footage,
                   std::shared_ptr<const FootageSource> kept_aside, const SmallDecoderLossOptions& options,
                   std::int64_t batch, std::int64_t microbatches, std::uint64_t seed);

  [[nodiscard]] NamedTensors parameters() const override { return model_->named_parameters(); }
  [[nodiscard]] Loss loss(std::int64_t microbatch, double progress) override;
  /// "validation": root mean square distance from the large decoder's pictures, "psnr" the same in dB; "truth_psnr" and
  /// "large_truth_psnr": how near the pictures of either are to the true ones.
  [[nodiscard]] Measurements validate() override;
  [[nodiscard]] Image sample_sheet(const Progress& progress) override;
  void export_model(const std::filesystem::path& folder) const override;

 private:
  /// Pictures kept aside (N, 3, H, W), about [-1, 1].
  struct KeptAside {
    at::Tensor truth;
    at::Tensor latents;
    at::Tensor large;  ///< the large decoder's
  };
  /// Encoded and decoded when it is first asked for.
  [[nodiscard]] const KeptAside& kept_aside();
  /// The pictures of the small decoder, one after the other.
  [[nodiscard]] at::Tensor decode(const at::Tensor& latents) const;

  std::unique_ptr<models::SmallDecoder> model_;
  std::unique_ptr<models::Autoencoder> autoencoder_;
  at::Device device_;
  family::ModelDescription description_;
  std::shared_ptr<const FootageSource> footage_;
  std::shared_ptr<const FootageSource> kept_aside_source_;
  SmallDecoderLossOptions options_;
  BatchOrder order_;
  std::uint64_t seed_;
  KeptAside kept_aside_;
};

}  // namespace unianimate::training
