#include "unianimate/pipeline/animator.h"

#include <array>
#include <chrono>
#include <functional>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/media/image_reader.h"
#include "unianimate/media/resize.h"
#include "unianimate/pipeline/clip_denoiser.h"
#include "unianimate/pipeline/model_weights.h"
#include "unianimate/pipeline/pictures.h"

namespace unianimate::pipeline {

namespace {

/// Tells phases to the progress and writes their time and memory into the report.
class PhaseLog {
 public:
  PhaseLog(std::vector<Phase>& phases, Progress& progress) : phases_(phases), progress_(progress) {}
  ~PhaseLog() { end(); }
  PhaseLog(const PhaseLog&) = delete;
  PhaseLog& operator=(const PhaseLog&) = delete;

  void begin(const std::string& name, std::int64_t total) {
    end();
    reset_peak_memory();
    name_ = name;
    start_ = std::chrono::steady_clock::now();
    progress_.begin_phase(name, total);
  }

 private:
  void end() {
    if (name_.empty()) return;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    phases_.push_back({std::exchange(name_, ""), seconds, peak_resident_bytes()});
  }

  std::vector<Phase>& phases_;
  Progress& progress_;
  std::string name_;
  std::chrono::steady_clock::time_point start_;
};

/// The pictures of one request. All but the original have the size of the video.
struct Pictures {
  Image original;  ///< the reference as it is, for CLIP
  Image reference;
  at::Tensor reference_pose;  ///< uint8 (H, W, 3)
  at::Tensor poses;           ///< uint8 (F, H, W, 3)
};

Pictures read_pictures(const AnimateRequest& request, const AnimatePlan& plan, Progress& progress) {
  const auto sized = [&](const Image& image) { return resize_bilinear(image, request.width, request.height); };
  Pictures pictures;
  pictures.original = read_image(request.reference);
  pictures.reference = sized(pictures.original);
  pictures.reference_pose = tensor_from_image(sized(read_image(plan.pose_folder.reference_pose)));
  pictures.poses = at::empty({plan.frames(), request.height, request.width, Image::kChannels}, at::kByte);
  std::int64_t frame = 0;
  for (const std::int64_t index : plan.selection.indices) {
    progress.throw_if_cancelled();
    const Image pose = read_image(plan.pose_folder.poses[static_cast<std::size_t>(index)]);
    pictures.poses[frame].copy_(tensor_from_image(sized(pose)));
    progress.step(++frame);
  }
  return pictures;
}

}  // namespace

/// The models that are in memory at the moment, and what never changes.
struct Animator::State {
  ModelFiles files;
  RuntimeOptions options;
  ModelConfigs configs;
  std::unique_ptr<models::UNet> unet;
  std::unique_ptr<models::Autoencoder> autoencoder;
  std::unique_ptr<models::ClipVisual> clip_visual;
  at::Tensor empty_prompt;  ///< depends on nothing but the checkpoint

  [[nodiscard]] at::TensorOptions weights() const {
    return at::TensorOptions().device(options.compute.device).dtype(options.compute.dtype);
  }
  [[nodiscard]] at::Tensor on_device(const at::Tensor& x) const { return x.to(options.compute.device); }

  const models::UNet& need_unet(const Progress& progress) {
    if (!unet) {
      auto loaded = load_unet(files.unet, configs.unet, weights(), progress);
      add_loras(options.loras, loaded->named_parameters(), progress);
      unet = std::move(loaded);
    }
    return *unet;
  }
  const models::Autoencoder& need_autoencoder(const Progress& progress) {
    if (!autoencoder) autoencoder = load_autoencoder(files.autoencoder, configs.autoencoder, weights(), progress);
    return *autoencoder;
  }
  const models::ClipVisual& need_clip_visual(const Progress& progress) {
    if (!clip_visual) clip_visual = load_clip_visual(files.clip, configs.clip, weights(), progress);
    return *clip_visual;
  }
  const at::Tensor& need_empty_prompt(const Progress& progress) {
    if (!empty_prompt.defined()) {
      empty_prompt = load_clip_text(files.clip, configs.clip, weights(), progress)->embed_empty_prompt();
    }
    return empty_prompt;
  }

  ClipConditions encode_conditions(const AnimateRequest& request, const Pictures& pictures,
                                   const at::Tensor& reference_latent, const Progress& progress);
  at::Tensor encode_reference(const Image& reference, const at::Tensor& noise, const Progress& progress);
  void decode(const AnimateRequest& request, const at::Tensor& latent, const Pictures& pictures, FrameSink& sink,
              Progress& progress);
};

at::Tensor Animator::State::encode_reference(const Image& reference, const at::Tensor& noise,
                                             const Progress& progress) {
  const models::Autoencoder& model = need_autoencoder(progress);
  const at::Tensor picture = on_device(unit_range(tensor_from_image(reference)).permute({2, 0, 1}).unsqueeze(0));
  return model.sample_latent(model.encode_moments(2.0 * picture - 1.0), noise);
}

ClipConditions Animator::State::encode_conditions(const AnimateRequest& request, const Pictures& pictures,
                                                  const at::Tensor& reference_latent, const Progress& progress) {
  ClipConditions conditions;
  conditions.empty_prompt = need_empty_prompt(progress);
  if (request.conditions.contains(Condition::kImage)) {
    const auto side = static_cast<int>(configs.clip.vision.image_size);
    const at::Tensor picture = unit_range(tensor_from_image(resize_bilinear(pictures.original, side, side)));
    const at::Tensor normalized = models::normalize_for_clip(picture.permute({2, 0, 1}).unsqueeze(0));
    conditions.image = need_clip_visual(progress)(on_device(normalized)).unsqueeze(1);
  }
  if (request.conditions.contains(Condition::kDwpose)) {
    conditions.reference_pose = pictures.reference_pose;
    conditions.poses = pictures.poses;
  }
  if (request.conditions.contains(Condition::kRandomRef)) conditions.reference_latent = reference_latent;
  if (request.conditions.contains(Condition::kLocalImage)) {
    conditions.local_image = tensor_from_image(pictures.reference);
  }
  return conditions;
}

void Animator::State::decode(const AnimateRequest& request, const at::Tensor& latent, const Pictures& pictures,
                             FrameSink& sink, Progress& progress) {
  const models::Autoencoder& model = need_autoencoder(progress);
  const at::Tensor frames = latent.squeeze(0).transpose(0, 1);  // (F, 4, h, w)
  std::int64_t done = 0;
  for (const at::Tensor& batch : frames.split(request.decode_batch)) {
    progress.throw_if_cancelled();
    const at::Tensor decoded = model.decode(batch);
    for (std::int64_t i = 0; i < decoded.size(0); ++i) {
      Image frame = image_from_decoded(decoded[i]);
      if (request.comparison) {
        frame = concatenate_columns(
            std::array{pictures.reference, image_from_tensor(pictures.poses[done]), std::move(frame)});
      }
      sink.write(frame);
      progress.step(++done);
    }
  }
  sink.finish();
}

Animator::Animator(std::unique_ptr<State> state) : state_(std::move(state)) {}
Animator::~Animator() = default;
Animator::Animator(Animator&&) noexcept = default;
Animator& Animator::operator=(Animator&&) noexcept = default;

Animator Animator::load(const ModelFiles& files, const RuntimeOptions& options) {
  auto state = std::make_unique<State>();
  state->files = files;
  state->options = options;
  state->configs = read_model_configs(files);
  return Animator(std::move(state));
}

const ModelConfigs& Animator::configs() const {
  return state_->configs;
}

AnimateReport Animator::animate(const AnimateRequest& request, FrameSink& sink, Progress& progress) {
  const c10::InferenceMode inference;
  State& models = *state_;
  const AnimatePlan plan = plan_animation(request, models.configs, models.options);
  AnimateReport report;
  report.frames = plan.frames();
  report.width = plan.output_width;
  report.height = plan.output_height;
  report.unet_calls = plan.unet_calls;
  report.notes = plan.notes;
  for (const std::string& note : plan.notes) progress.note(note);
  PhaseLog phase(report.phases, progress);
  const diffusion::NoiseSchedule schedule;

  // 1. pictures
  phase.begin("read pictures", plan.frames());
  const Pictures pictures = read_pictures(request, plan, progress);

  // 2. everything random, then the reference's embeddings
  phase.begin("encode reference", 0);
  const diffusion::ItemNoise noise = diffusion::draw_item_noise(request.seed, plan.frames(), plan.latent.height,
                                                                plan.latent.width, models.options.compute.device);
  const at::Tensor reference_latent = models.encode_reference(pictures.reference, noise.posterior, progress);
  if (!plan.keeps_all_models) models.autoencoder.reset();
  const ClipConditions conditions = models.encode_conditions(request, pictures, reference_latent, progress);
  if (!plan.keeps_all_models) models.clip_visual.reset();

  // 3. sampling
  phase.begin("load UNet", 0);
  const models::UNet& unet = models.need_unet(progress);
  phase.begin("sample", plan.unet_calls);
  at::Tensor latent =
      diffusion::start_latent(schedule, reference_latent, noise, request.noise_prior, request.noise_prior_order);
  {
    ClipDenoiser denoise(unet, conditions, plan.latent, request.context, request.guidance_scale, progress);
    latent = diffusion::ddim_sample(schedule, request.sampling, latent, std::ref(denoise), noise.generator, progress);
  }
  if (!plan.keeps_unet) models.unet.reset();

  // 4. decoding
  phase.begin("decode", plan.frames());
  models.decode(request, latent, pictures, sink, progress);
  if (!plan.keeps_all_models) models.autoencoder.reset();
  return report;
}

}  // namespace unianimate::pipeline
