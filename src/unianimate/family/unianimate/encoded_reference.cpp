#include "unianimate/family/unianimate/encoded_reference.h"

#include <algorithm>
#include <utility>

#include "unianimate/core/random.h"
#include "unianimate/diffusion/start_latent.h"
#include "unianimate/family/latent_preview.h"
#include "unianimate/family/pictures.h"
#include "unianimate/family/unianimate/picture_encoding.h"
#include "unianimate/family/unianimate/unet_model.h"

namespace unianimate::family {

namespace {

/// Latents of 64 frames are touched at once where a whole clip is gone through.
constexpr std::int64_t kFramesAtOnce = 64;

/// A picture for each latent, by a linear map.
class LinearDecoder final : public ClipDecoder {
 public:
  LinearDecoder(LatentPreview map, int width, int height) : map_(std::move(map)), width_(width), height_(height) {}

  [[nodiscard]] std::vector<Image> next(const at::Tensor& latents) override {
    std::vector<Image> pictures;
    for (const at::Tensor& latent : latents.squeeze(0).unbind(1)) {
      pictures.push_back(map_.picture(latent, width_, height_));
    }
    return pictures;
  }

 private:
  LatentPreview map_;
  int width_;
  int height_;
};

class EncodedReference final : public Reference {
 public:
  EncodedReference(LoadedModels& models, const diffusion::NoiseSchedule& schedule, const ReferencePictures& pictures,
                   const AnimateRequest& request, const Residency& residency, Progress& progress)
      : models_(models), schedule_(schedule), request_(request), residency_(residency), picture_(pictures.sized) {
    const at::Tensor latent = encode(pictures.sized, progress);
    latent_ = latent.to(at::kCPU, at::kFloat);
    if (!residency_.all_models) models_.free_autoencoder();
    conditions_.empty_prompt = models_.empty_prompt(progress);
    if (request_.conditions.contains(Condition::kImage))
      conditions_.image = image_embedding(models_, pictures.original, progress);
    if (!residency_.all_models) models_.free_clip_visual();
    if (request_.conditions.contains(Condition::kRandomRef)) conditions_.reference_latent = latent;
  }

  [[nodiscard]] at::Generator start(const at::Tensor& x, std::uint64_t seed,
                                    const std::function<void()>& touched) const override {
    const diffusion::ItemNoise noise =
        diffusion::draw_item_noise_into(x, seed, models_.options().compute.device, touched);
    const diffusion::Level prior = schedule_.at(static_cast<double>(request_.noise_prior));
    for (std::int64_t first = 0; first < x.size(2); first += kFramesAtOnce) {
      const std::int64_t count = std::min(kFramesAtOnce, x.size(2) - first);
      x.narrow(2, first, count)
          .copy_(diffusion::start_latent(prior, latent_, noise.of_frames(first, count), request_.noise_prior_order));
      touched();
    }
    return noise.generator;
  }

  [[nodiscard]] std::unique_ptr<ClipModel> condition(const ClipInputs& inputs, Progress& progress) override {
    ClipConditions clip = conditions_;
    if (request_.conditions.contains(Condition::kDwpose)) clip.poses = &inputs.poses;
    clip.first_pose = inputs.first_pose;
    if (inputs.continues || request_.conditions.contains(Condition::kLocalImage)) {
      clip.local_image = tensor_from_image(inputs.first_frame);
    }
    std::function<void()> gone;
    if (!residency_.denoiser) gone = [&models = models_] { models.free_unet(); };
    return std::make_unique<UNetModel>(models_.unet(progress), std::move(clip), inputs.window,
                                       request_.shortcuts.features_below(), std::move(gone));
  }

  [[nodiscard]] std::unique_ptr<ClipDecoder> preview() const override {
    return std::make_unique<LinearDecoder>(LatentPreview(latent_, picture_), request_.width, request_.height);
  }

 private:
  /// A sample of its posterior (1, 4, h, w) on the device.
  [[nodiscard]] at::Tensor encode(const Image& picture, Progress& progress) {
    const models::Autoencoder& model = models_.autoencoder(progress);
    const std::int64_t unit = models_.configs().autoencoder.downscale();
    // The first draw of an item, see draw_item_noise().
    const at::Tensor noise =
        at::randn({1, models::UNetConfig::kLatentChannels, picture.height / unit, picture.width / unit},
                  make_generator(request_.seed), at::TensorOptions().dtype(at::kFloat));
    return model.sample_latent(latent_moments(models_, picture, progress), models_.on_device(noise));
  }

  LoadedModels& models_;
  const diffusion::NoiseSchedule& schedule_;
  const AnimateRequest& request_;
  Residency residency_;
  const Image& picture_;
  at::Tensor latent_;  ///< (1, 4, h, w), on the CPU
  ClipConditions conditions_;
};

}  // namespace

std::unique_ptr<Reference> encode_reference(LoadedModels& models, const diffusion::NoiseSchedule& schedule,
                                            const ReferencePictures& pictures, const AnimateRequest& request,
                                            const Residency& residency, Progress& progress) {
  return std::make_unique<EncodedReference>(models, schedule, pictures, request, residency, progress);
}

}  // namespace unianimate::family
