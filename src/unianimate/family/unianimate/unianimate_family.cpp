#include "unianimate/family/unianimate/unianimate_family.h"

#include <utility>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/error.h"
#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/family/pictures.h"
#include "unianimate/family/unianimate/encoded_reference.h"
#include "unianimate/family/unianimate/loaded_models.h"
#include "unianimate/family/unianimate/memory.h"
#include "unianimate/family/unianimate/model_sizes.h"
#include "unianimate/family/unianimate/model_timing.h"
#include "unianimate/family/unianimate/picture_encoding.h"
#include "unianimate/family/unianimate/small_decoder_file.h"
#include "unianimate/models/autoencoder/cost.h"
#include "unianimate/models/clip/cost.h"
#include "unianimate/models/unet/cost.h"
#include "unianimate/naming/model_naming.h"

namespace unianimate::family {

namespace {

/// Every latent is one frame, decoded alone.
class FrameDecoder final : public ClipDecoder {
 public:
  FrameDecoder(LoadedModels& models, DecoderChoice choice, std::int64_t batch, const Residency& residency,
               Progress& progress)
      : models_(models),
        is_small_(choice == DecoderChoice::kSmall),
        batch_(batch),
        keeps_model_(residency.all_models || is_small_),
        progress_(progress) {}
  ~FrameDecoder() override {
    if (!keeps_model_) models_.free_autoencoder();
  }
  FrameDecoder(const FrameDecoder&) = delete;
  FrameDecoder& operator=(const FrameDecoder&) = delete;

  [[nodiscard]] std::vector<Image> next(const at::Tensor& latents) override {
    std::vector<Image> pictures;
    for (const at::Tensor& part : latents.squeeze(0).transpose(0, 1).split(batch_)) {
      progress_.throw_if_cancelled();
      for (const at::Tensor& picture : decode(models_.on_device(part)).unbind(0)) {
        pictures.push_back(image_from_decoded(picture));
      }
    }
    return pictures;
  }

 private:
  [[nodiscard]] at::Tensor decode(const at::Tensor& latents) {
    return is_small_ ? models_.small_decoder(progress_).decode(latents) : models_.decoder(progress_).decode(latents);
  }

  LoadedModels& models_;
  bool is_small_;
  std::int64_t batch_;
  bool keeps_model_;
  Progress& progress_;
};

class UniAnimate final : public Family {
 public:
  UniAnimate(const ModelFiles& files, const ModelConfigs& configs, const RuntimeOptions& options)
      : files_(files),
        models_(files, configs, options),
        bytes_(model_bytes(configs, options.compute)),
        timing_(files_, models_.configs(), models_.options()) {
    geometry_.channels = models::UNetConfig::kLatentChannels;
    geometry_.pixels_per_latent = configs.autoencoder.downscale();
    geometry_.side_unit = configs.autoencoder.downscale() * configs.unet.downscale();
  }

  [[nodiscard]] const ClipGeometry& geometry() const override { return geometry_; }
  [[nodiscard]] const diffusion::NoiseProcess& process() const override { return schedule_; }
  [[nodiscard]] const RuntimeOptions& runtime() const override { return models_.options(); }
  [[nodiscard]] std::vector<ModelSize> sizes() const override { return sizes_of(models_.configs()); }

  [[nodiscard]] std::vector<std::string> check() const override {
    std::vector<std::string> notes = models_.configs().notes;
    const RuntimeOptions& options = models_.options();
    if (models_.configs().unet_int8_elements > 0 && !options.compute.int8) {
      notes.push_back(fmt::format(
          "{} holds weights rounded to 8 bits, so the video differs a little from one of the weights it was "
          "made from, and is made no quicker; use those{}",
          printable(files_.unet.filename().string()), options.compute.device.is_cpu() ? ", or --dtype int8" : ""));
    }
    if (options.loras.empty()) return notes;
    require_base(options.loras, files_.unet);
    const models::UNet shapes(models_.configs().unet, at::TensorOptions(at::kMeta));
    for (std::string& note : check_loras(options.loras, shapes.named_parameters(), options.allow_nonfinite)) {
      notes.push_back(std::move(note));
    }
    return notes;
  }

  [[nodiscard]] double operations(const ClipShape& window) const override {
    return models::unet_operations(models_.configs().unet, {1, window.latents, window.height, window.width});
  }
  [[nodiscard]] double encode_operations(const AnimateRequest& request) const override {
    const ModelConfigs& configs = models_.configs();
    const std::int64_t unit = geometry_.pixels_per_latent;
    return models::encoder_operations(configs.autoencoder, request.height / unit, request.width / unit) +
           models::clip_text_operations(configs.clip) +
           (request.conditions.contains(Condition::kImage) ? models::clip_visual_operations(configs.clip) : 0);
  }
  [[nodiscard]] WorkSeconds time_work(const AnimateRequest& request, const ClipShape& window) override {
    return timing_.seconds(request, window);
  }
  [[nodiscard]] FeatureReuse feature_reuse(const ClipShape& window, std::int64_t below) const override {
    return family::feature_reuse(models_.configs().unet, models_.options().compute.dtype, window, below);
  }
  [[nodiscard]] std::int64_t carried_bytes(const ClipShape& window) const override {
    return family::carried_bytes(models_.configs().unet, models_.options().compute.dtype, window);
  }
  [[nodiscard]] double decoding_operations(const ClipShape& latents, DecoderChoice decoder) const override {
    const models::AutoencoderConfig& config = models_.configs().autoencoder;
    const double of_one =
        decoder == DecoderChoice::kFull
            ? models::decoder_operations(config, latents.height, latents.width)
            : models::decoder_operations(models::small_decoder_for(config), latents.height, latents.width);
    return static_cast<double>(latents.latents) * of_one;
  }
  [[nodiscard]] bool has_small_decoder() const override {
    std::error_code ignored;
    if (!fits_ && std::filesystem::is_regular_file(files_.small_decoder, ignored)) {
      require_small_decoder_fits(files_, models_.configs().autoencoder, models_.options().allow_nonfinite);
      fits_ = true;
    }
    return fits_;
  }
  [[nodiscard]] std::vector<MemoryUse> memory(const Workload& work) const override {
    return memory_uses(models_.configs(), bytes_, models_.options().compute.dtype, work);
  }

  [[nodiscard]] std::unique_ptr<Reference> encode(const ReferencePictures& pictures, const AnimateRequest& request,
                                                  const Residency& residency, Progress& progress) override {
    return encode_reference(models_, schedule_, pictures, request, residency, progress);
  }
  [[nodiscard]] std::unique_ptr<ClipDecoder> decoder(DecoderChoice choice, std::int64_t batch,
                                                     const Residency& residency, Progress& progress) override {
    return std::make_unique<FrameDecoder>(models_, choice, batch, residency, progress);
  }

  [[nodiscard]] Image reconstruct(const Image& picture, Progress& progress) override {
    const c10::InferenceMode inference;
    const at::Tensor latent = mean_latent(models_, picture, progress);
    return image_from_decoded(models_.decoder(progress).decode(latent).squeeze(0));
  }

 private:
  ModelFiles files_;
  mutable bool fits_ = false;  ///< the small decoder; once that is known
  LoadedModels models_;
  ModelBytes bytes_;
  ModelTiming timing_;
  ClipGeometry geometry_;
  const diffusion::NoiseSchedule schedule_;
};

}  // namespace

bool is_unianimate(const ModelFiles& files) {
  try {
    return naming::find_naming(checkpoint::open_checkpoint(files.unet), naming::ModelRole::kUNet).has_value();
  } catch (const Error&) {
    return false;
  }
}

std::unique_ptr<Family> open_unianimate(const ModelFiles& files, const RuntimeOptions& options) {
  return make_unianimate(files, read_model_configs(files), options);
}

std::unique_ptr<Family> make_unianimate(const ModelFiles& files, const ModelConfigs& configs,
                                        const RuntimeOptions& options) {
  return std::make_unique<UniAnimate>(files, configs, options);
}

}  // namespace unianimate::family
