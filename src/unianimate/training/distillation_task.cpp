#include "unianimate/training/distillation_task.h"

#include <c10/core/GradMode.h>

#include <cmath>

#include "unianimate/core/random.h"
#include "unianimate/diffusion/consistency.h"
#include "unianimate/fields/range_check.h"
#include "unianimate/training/model_export.h"
#include "unianimate/training/train_fields.h"

namespace unianimate::training {

namespace {

constexpr const char* kTrainedPrefix = "unet.";
constexpr const char* kTargetPrefix = "target/";
constexpr double kUsualTargetEma = 0.95;

/// Of the solution that students are compared with.
diffusion::SamplerOptions teacher_sampling() {
  return {.steps = diffusion::kConsistencyGrid, .timesteps = {.rule = diffusion::TimestepRule::kTrailing}};
}

std::vector<Conditions> sets_of(DistilledConditions conditions) {
  switch (conditions) {
    case DistilledConditions::kReference:
      return {reference_set()};
    case DistilledConditions::kFirstFrame:
      return {first_frame_set()};
    case DistilledConditions::kBoth:
      break;
  }
  return {reference_set(), first_frame_set()};
}

/// While it lives, the UNet is the teacher.
class WithoutCorrections {
 public:
  explicit WithoutCorrections(const std::optional<LoraAdapters>& adapters) : adapters_(adapters) {
    if (adapters_) adapters_->withdraw();
  }
  ~WithoutCorrections() {
    if (adapters_) adapters_->apply();
  }
  WithoutCorrections(const WithoutCorrections&) = delete;
  WithoutCorrections& operator=(const WithoutCorrections&) = delete;

 private:
  const std::optional<LoraAdapters>& adapters_;
};

}  // namespace

void DistillationOptions::check() const {
  fields::check_ranges(*this, "distil.");
}

DistillationTask::DistillationTask(DistillationModels models, std::shared_ptr<const FootageSource> footage,
                                   std::shared_ptr<const FootageSource> kept_aside, const DistillationOptions& options,
                                   std::int64_t batch, std::int64_t microbatches, std::uint64_t seed, bool keep_latents)
    : models_(std::move(models.student)),
      teacher_(std::move(models.teacher)),
      target_(std::move(models.target)),
      clips_(models_, std::move(footage), std::move(kept_aside), options.frames, batch, microbatches, seed,
             keep_latents),
      options_((options.check(), options)),
      sets_(sets_of(options.conditions)),
      distillation_(family::make_distillation(fields::word(options.method), options.steps)),
      seed_(seed) {
  distillation_.guidance = options_.guidance;
  distillation_.base = models.base;
  for (const Conditions& set : sets_) distillation_.conditions.emplace_back(set);
  if (models_.lora.rank > 0) adapters_.emplace(models_.unet->named_parameters(), models_.lora, seed);
  if (!target_) return;
  const NamedTensors exact = models_.exact_unet ? models_.exact_unet->named_parameters() : NamedTensors();
  const NamedTensors own = target_->named_parameters();
  for (std::size_t i = 0; i < own.size(); ++i) {
    const at::Tensor weight = own[i].tensor.detach();
    target_weights_.push_back({own[i].name, exact.empty() ? weight : exact[i].tensor.detach().clone()});
  }
}

NamedTensors DistillationTask::parameters() const {
  return prefixed(adapters_ ? adapters_->parameters() : models_.unet->named_parameters(), kTrainedPrefix);
}

NamedTensors DistillationTask::exact_parameters() {
  if (!models_.exact_unet) return {};
  NamedTensors all = prefixed(models_.exact_unet->named_parameters(), kTrainedPrefix);
  models_.exact_unet.reset();
  return all;
}

NamedTensors DistillationTask::state() const {
  return prefixed(target_weights_, kTargetPrefix);
}

at::Tensor DistillationTask::guided_v(const at::Tensor& z, const at::Tensor& timesteps,
                                      const models::EncodedConditions& conditional,
                                      const models::EncodedConditions& unconditional) const {
  const at::Tensor with = teacher()(z, timesteps, conditional).to(at::kFloat);
  if (options_.guidance == 1) return with;
  const at::Tensor without = teacher()(z, timesteps, unconditional).to(at::kFloat);
  return without + options_.guidance * (with - without);
}

at::Tensor DistillationTask::consistency_target(const ConsistencySteps& steps, const at::Tensor& z,
                                                const models::UNetConditions& given) const {
  const c10::NoGradGuard no_gradients;
  const models::LatentShape shape{z.size(0), z.size(2), z.size(3), z.size(4)};
  at::Tensor next;
  {
    const WithoutCorrections as_teacher(adapters_);
    const models::EncodedConditions conditional = teacher().encode(given, clips_.empty_prompt(), shape);
    const models::EncodedConditions unconditional = teacher().encode({}, clips_.empty_prompt(), shape);
    next = steps.solver(z, guided_v(z, steps.timesteps, conditional, unconditional));
  }
  const models::EncodedConditions conditional = target().encode(given, clips_.empty_prompt(), shape);
  return steps.target(next, target()(next, steps.next, conditional).to(at::kFloat));
}

Loss DistillationTask::loss(std::int64_t microbatch, double) {
  RandomStream random(mixed_seed(seed_, static_cast<std::uint64_t>(microbatch)));
  const Conditions& set = sets_[random.below(sets_.size())];
  const auto items = clips_.items_of(microbatch);
  std::vector<ClipTake> takes;
  std::vector<std::int64_t> entries;
  std::vector<std::int64_t> begins;
  for (const auto& item : items) {
    const bool coherent = random.chance(options_.coherent_share);
    takes.push_back(clips_.take(item->footage, coherent, begins_with_reference(set), random));
    entries.push_back(random.below(diffusion::kConsistencyGrid));
    const bool from_prior = random.chance(options_.noise_prior);
    begins.push_back(from_prior && entries.back() == diffusion::kConsistencyGrid - 1 ? 1 : 0);
  }
  const ClipBatch batch = clips_.assemble(items, takes);
  const at::Generator generator = make_generator(random.next());
  const CleanLatents clean = clips_.sample_latents(batch, generator);
  const at::Tensor noise = clips_.noise(clean.clips, options_.offset_noise, generator);
  const ConsistencySteps steps =
      consistency_steps(entries, options_.method, options_.steps, schedule_, clean.clips.options());
  const double prior = schedule_.alpha_cumprod(models_.description.defaults.noise_prior);
  const at::Tensor beginning = std::sqrt(prior) * clean.reference.unsqueeze(2) + std::sqrt(1 - prior) * noise;
  const at::Tensor is_beginning = at::tensor(begins).to(clips_.device(), at::kBool).view({-1, 1, 1, 1, 1});
  const at::Tensor z = at::where(is_beginning, beginning, steps.signal * clean.clips + steps.spread * noise);

  const models::UNetConditions given = clips_.conditions(batch, set, clean.reference);
  const at::Tensor target = consistency_target(steps, z, given);
  const models::LatentShape shape{z.size(0), z.size(2), z.size(3), z.size(4)};
  const models::EncodedConditions encoded = models_.unet->encode(given, clips_.empty_prompt(), shape);
  const at::Tensor prediction = steps.prediction(z, (*models_.unet)(z, steps.timesteps, encoded).to(at::kFloat));
  Loss loss;
  loss.total = pseudo_huber(prediction, target);
  loss.parts = {{"squared_error", (prediction.detach() - target).square().mean().item<double>()}};
  return loss;
}

void DistillationTask::collect_gradients() {
  if (adapters_) adapters_->collect_gradients();
}

void DistillationTask::step_done() {
  if (!target_) return;
  const c10::NoGradGuard no_gradients;
  const double share = 1 - options_.target_ema.value_or(kUsualTargetEma);
  const NamedTensors student = models_.unet->named_parameters();
  for (std::size_t i = 0; i < student.size(); ++i) {
    target_weights_[i].tensor.lerp_(student[i].tensor.to(at::kFloat), share);
  }
}

void DistillationTask::parameters_changed() {
  if (adapters_) adapters_->apply();
  let_target_follow();
}

void DistillationTask::let_target_follow() const {
  if (!target_) return;
  const c10::NoGradGuard no_gradients;
  const NamedTensors own = target_->named_parameters();
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (!own[i].tensor.is_alias_of(target_weights_[i].tensor)) own[i].tensor.copy_(target_weights_[i].tensor);
  }
}

at::Tensor DistillationTask::sample_teacher(const ClipBatch& batch, const Conditions& set,
                                            const Progress& progress) const {
  const WithoutCorrections as_teacher(adapters_);
  const at::Tensor reference = clips_.reference_latent(batch);
  const models::EncodedConditions conditional = clips_.encode(teacher(), batch, set, reference);
  const models::EncodedConditions unconditional = clips_.encode(teacher(), batch, {}, reference);
  const auto v = [&](const at::Tensor& x, const at::Tensor& timestep) {
    return guided_v(x, timestep, conditional, unconditional);
  };
  return clips_.sample(batch, teacher_sampling(), v, progress);
}

at::Tensor DistillationTask::sample_student(const ClipBatch& batch, const Conditions& set,
                                            const diffusion::SamplerOptions& sampling, const Progress& progress) const {
  const models::EncodedConditions encoded = clips_.encode(*models_.unet, batch, set, clips_.reference_latent(batch));
  const auto v = [&](const at::Tensor& x, const at::Tensor& timestep) {
    return (*models_.unet)(x, timestep, encoded).to(at::kFloat);
  };
  return clips_.sample(batch, sampling, v, progress);
}

Measurements DistillationTask::validate() {
  const c10::NoGradGuard no_gradients;
  const Progress silent;
  // What draws no noise can be compared.
  const std::int64_t steps = options_.method == DistillationMethod::kPhased ? options_.steps : 1;
  const auto sampling = family::make_distillation(fields::word(options_.method), steps).sampling;
  double sum = 0;
  for (std::size_t set = 0; set < sets_.size(); ++set) {
    for (std::int64_t index = 0; index < clips_.kept_aside(); ++index) {
      const ClipBatch batch = clips_.kept_aside_clip(index, sets_[set]).batch;
      at::Tensor& expected = teacher_latents_[{set, index}];
      if (!expected.defined()) expected = sample_teacher(batch, sets_[set], silent);
      const at::Tensor found = sample_student(batch, sets_[set], sampling, silent);
      sum += ((found - expected).norm() / expected.norm()).item<double>();
    }
  }
  return {{"validation", sum / static_cast<double>(clips_.kept_aside()) / static_cast<double>(sets_.size())}};
}

Image DistillationTask::sample_sheet(const Progress& progress) {
  const auto of_teacher = [&](const ClipBatch& batch, const Conditions& set) {
    return sample_teacher(batch, set, progress);
  };
  const auto of_student = [&](const ClipBatch& batch, const Conditions& set) {
    return sample_student(batch, set, distillation_.sampling, progress);
  };
  return clips_.sample_sheet(sets_, {of_teacher, of_student});
}

void DistillationTask::export_model(const std::filesystem::path& folder) const {
  ModelWeights weights;
  weights.denoiser_metadata = distillation_.metadata();
  if (adapters_) {
    weights.lora = adapters_->file_content();
  } else {
    weights.unet = models_.unet->named_parameters();
    weights.autoencoder = models_.autoencoder->named_parameters();
    weights.clip = prefixed(models_.clip_visual->named_parameters(), "visual.");
    for (NamedTensor& parameter : models_.clip_text->named_parameters()) weights.clip.push_back(std::move(parameter));
  }
  training::export_model(folder, models_.description, weights);
}

}  // namespace unianimate::training
