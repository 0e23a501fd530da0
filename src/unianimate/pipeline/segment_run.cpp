#include "unianimate/pipeline/segment_run.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/random.h"
#include "unianimate/diffusion/sampling_loop.h"
#include "unianimate/diffusion/shortcuts.h"
#include "unianimate/diffusion/trend.h"
#include "unianimate/pipeline/predictor.h"
#include "unianimate/pipeline/sampling_cost.h"

namespace unianimate::pipeline {

namespace fs = std::filesystem;

namespace {

/// The same on the CPU.
NamedTensors on_cpu(NamedTensors tensors) {
  for (NamedTensor& tensor : tensors) tensor.tensor = tensor.tensor.cpu();
  return tensors;
}

/// Nothing need be there unless latents become too many.
fs::path temporary_folder() {
  std::error_code problem;
  const fs::path folder = fs::temp_directory_path(problem);
  return problem ? fs::path("/tmp") : folder;
}

void append(NamedTensors& tensors, const std::string& name, const diffusion::Trend& trend) {
  if (!trend.last.defined()) return;
  tensors.push_back({name + ".last", trend.last});
  tensors.push_back({name + ".before", trend.before});
}

class SegmentRun final : public diffusion::SamplingObserver {
 public:
  SegmentRun(const VideoRun& run, const SegmentPlace& place)
      : run_(run),
        place_(place),
        request_(run.plan.request),
        windows_(latent_windows(request_.context, run.family.geometry())),
        sampler_(diffusion::make_sampler(run.family.process(), request_.sampling)),
        work_(diffusion::step_work(request_.shortcuts, request_.guidance_scale, sampler_->levels())),
        shape_{run.family.geometry().latents_of(place.segment.size), run.plan.latent.height, run.plan.latent.width},
        latent_(std::make_unique<ClipTensor>(sizes(), run.family.runtime().latent_memory, temporary_folder())) {}

  std::unique_ptr<ClipTensor> sample(const Image& first_frame);

  void step_begins(std::int64_t step) override;
  void predicted(const at::Tensor& x0) override {
    if (preview_) preview_->write(x0);
  }
  void touched() override {
    latent_->release();
    for (const auto& tensor : beside_) tensor->release();
  }
  void step_ends(std::int64_t steps_done) override;

 private:
  void begin();
  void share();
  void move_to_model();
  [[nodiscard]] std::unique_ptr<family::ClipDecoder> preview_decoder();
  [[nodiscard]] at::Tensor room();
  [[nodiscard]] NamedTensors saved_tensors() const;
  [[nodiscard]] bool can_be_left(std::int64_t steps_done) const;
  [[nodiscard]] std::int64_t step_count() const { return static_cast<std::int64_t>(sampler_->levels().size()); }
  [[nodiscard]] std::int64_t calls(std::int64_t steps) const;
  [[nodiscard]] std::vector<std::int64_t> sizes() const {
    return {1, run_.family.geometry().channels, shape_.latents, shape_.height, shape_.width};
  }

  const VideoRun& run_;
  const SegmentPlace& place_;
  const family::AnimateRequest& request_;
  diffusion::ContextWindowOptions windows_;  ///< in latents
  std::unique_ptr<diffusion::Sampler> sampler_;
  std::vector<diffusion::StepWork> work_;  ///< of every step
  family::ClipShape shape_;
  std::unique_ptr<ClipTensor> latent_;
  std::vector<std::unique_ptr<ClipTensor>> beside_;  ///< noise, and what is kept from step to step
  diffusion::SamplingState state_;
  diffusion::Trend difference_;  ///< what the conditions change
  bool save_is_due_ = false;
  std::unique_ptr<PreviewWriter> preview_;  ///< of the present step
};

/// Of the first `steps` steps.
std::int64_t SegmentRun::calls(std::int64_t steps) const {
  std::int64_t sum = 0;
  for (std::int64_t step = 0; step < steps; ++step) {
    const diffusion::StepWork& work = work_[static_cast<std::size_t>(step)];
    sum += step_windows(shape_.latents, windows_, work.windows_of).batches * work.passes();
  }
  return sum;
}

at::Tensor SegmentRun::room() {
  return beside_
      .emplace_back(std::make_unique<ClipTensor>(sizes(), run_.family.runtime().latent_memory, temporary_folder()))
      ->tensor();
}

/// What is kept of a segment: the latent and, under names of their own, what is remembered from step to step.
NamedTensors SegmentRun::saved_tensors() const {
  NamedTensors tensors{{"latent", state_.x}};
  for (const auto& [name, tensor] : state_.kept) tensors.push_back({"sampler." + name, tensor});
  append(tensors, "clean", state_.clean);
  append(tensors, "guidance", difference_);
  return tensors;
}

/// Deep features are too large to be saved: what is gone on with begins where they are computed anew.
bool SegmentRun::can_be_left(std::int64_t steps_done) const {
  return steps_done == step_count() || work_[static_cast<std::size_t>(steps_done)].windows_of == steps_done;
}

/// Every process gets what the first one has loaded.
void SegmentRun::share() {
  const at::Tensor generator_state = state_.generator.get_state();
  run_.group.broadcast({generator_state});
  state_.generator.set_state(generator_state);
  if (run_.group.size() == 1) return;
  for (const auto& [name, tensor] : saved_tensors()) {
    for (const at::Tensor& part : tensor.split(diffusion::kLatentsAtOnce, 2)) {
      const at::Tensor shared = part.contiguous();
      run_.group.broadcast({shared});
      part.copy_(shared);
      touched();
    }
  }
}

/// From the store or from the beginning.
void SegmentRun::begin() {
  SegmentStore* store = run_.store;
  state_.x = latent_->tensor();
  for (const std::string& name : sampler_->state_names()) state_.kept.push_back({name, room()});
  if (request_.shortcuts.extrapolate) state_.clean = {room(), room()};
  if (request_.shortcuts.reuses_guidance()) difference_ = {room(), room()};
  const std::uint64_t own_seed = (store != nullptr ? store->seed(place_.index) : std::nullopt).value_or(request_.seed);
  const at::Tensor shared_seed = at::tensor({static_cast<std::int64_t>(own_seed)}, at::kLong);
  run_.group.broadcast({shared_seed});
  const auto seed = static_cast<std::uint64_t>(shared_seed.item<std::int64_t>());
  state_.generator = make_generator(seed, run_.family.runtime().compute.device);
  const std::int64_t loaded =
      store != nullptr ? store->load_sampling(place_.index, saved_tensors(), state_.generator, run_.progress) : 0;
  const at::Tensor steps = at::tensor({loaded}, at::kLong);
  run_.group.broadcast({steps});
  state_.steps_done = steps.item<std::int64_t>();
  if (state_.steps_done > step_count()) {
    throw Error(ErrorKind::kInput, "the job holds latents after {} steps, but there are {}; delete it and begin anew",
                state_.steps_done, step_count());
  }
  if (state_.steps_done > 0) {
    share();
  } else {
    state_.generator = run_.reference().start(state_.x, seed, [this] { touched(); });
  }
}

/// Latents that lie in memory go to the device that computes, so that within a step nothing waits for it. Those of
/// several processes stay where they can be summed.
void SegmentRun::move_to_model() {
  const at::Device device = run_.family.runtime().compute.device;
  if (latent_->in_file() || run_.group.size() > 1) return;
  const auto move = [&](at::Tensor& tensor) {
    if (tensor.defined()) tensor = tensor.to(device);
  };
  for (at::Tensor* tensor :
       {&state_.x, &state_.noise, &state_.clean.last, &state_.clean.before, &difference_.last, &difference_.before}) {
    move(*tensor);
  }
  for (NamedTensor& kept : state_.kept) move(kept.tensor);
}

std::unique_ptr<ClipTensor> SegmentRun::sample(const Image& first_frame) {
  begin();
  if (state_.steps_done == step_count()) return std::move(latent_);
  family::Reference& reference = run_.reference();
  if (sampler_->draws_noise()) state_.noise = room();
  move_to_model();
  run_.phases.begin(place_.phase(PhaseKind::kLoadModel), 0);
  const family::ClipShape window = window_shape(run_.family, request_, shape_);
  const std::unique_ptr<family::ClipModel> model = reference.condition(
      {run_.poses, place_.segment.first, place_.segment.size, first_frame, place_.index > 0, window}, run_.progress);
  run_.phases.begin(place_.phase(PhaseKind::kSample), calls(step_count()),
                    sampling_cost(run_.family, request_, shape_, state_.steps_done).operations);
  const PredictorMemory memory{difference_, request_.shortcuts.reuses_features(), windows_.carry_state};
  ClipPredictor predictor(*model, windows_, memory, run_.group, run_.progress);
  predictor.calls_done = calls(state_.steps_done);
  const diffusion::Denoiser denoise = [&](const at::Tensor& x, const diffusion::Level& level, std::int64_t step,
                                          const diffusion::TakeOutput& take) {
    predictor.predict(x, level.time, work_[static_cast<std::size_t>(step)], take);
  };
  diffusion::run_sampler(*sampler_, run_.family.process(), denoise, state_, *this, work_);
  if (!state_.x.is_alias_of(latent_->tensor())) latent_->tensor().copy_(state_.x);
  return std::move(latent_);
}

std::unique_ptr<family::ClipDecoder> SegmentRun::preview_decoder() {
  const std::optional<family::DecoderChoice>& choice = run_.plan.preview_decoder;
  if (!choice) return run_.reference().preview();
  return run_.family.decoder(*choice, 1, family::Residency(), run_.progress);
}

void SegmentRun::step_begins(std::int64_t step) {
  const PreviewOptions& preview = run_.options.preview;
  if (!run_.is_first_process() || preview.every == 0 || (step + 1) % preview.every != 0) return;
  preview_ = std::make_unique<PreviewWriter>(run_.options.open_preview, request_, place_.segment.size,
                                             preview_decoder(), run_.progress);
}

void SegmentRun::step_ends(std::int64_t steps_done) {
  if (preview_) preview_->finish();
  preview_.reset();
  SegmentStore* store = run_.store;
  if (store == nullptr) return;
  save_is_due_ = save_is_due_ || steps_done % store->save_every() == 0 || steps_done == step_count();
  if (!save_is_due_ || !can_be_left(steps_done)) return;
  save_is_due_ = false;
  try {
    store->save_sampling(place_.index, steps_done, on_cpu(saved_tensors()), state_.generator);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kEnvironment) throw;
    run_.progress.note(fmt::format("step {} could not be saved, and the work goes on: {}", steps_done, error.what()));
  }
  touched();
}

}  // namespace

std::unique_ptr<ClipTensor> sample_segment(const VideoRun& run, const SegmentPlace& place, const Image& first_frame) {
  return SegmentRun(run, place).sample(first_frame);
}

}  // namespace unianimate::pipeline
