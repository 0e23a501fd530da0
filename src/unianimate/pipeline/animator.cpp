#include "unianimate/pipeline/animator.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/core/random.h"
#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/diffusion/sampler.h"
#include "unianimate/family/latent_preview.h"
#include "unianimate/family/pictures.h"
#include "unianimate/family/pose_pictures.h"
#include "unianimate/family/unianimate/model_weights.h"
#include "unianimate/family/unianimate/window_conditions.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/resize.h"
#include "unianimate/pipeline/clip_predictor.h"
#include "unianimate/pipeline/clip_tensor.h"
#include "unianimate/pipeline/color_match.h"
#include "unianimate/pipeline/segments.h"

namespace unianimate::pipeline {

namespace fs = std::filesystem;

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

/// Puts reference and pose beside each frame.
class ComparisonSink : public FrameSink {
 public:
  ComparisonSink(FrameSink& sink, const Image& reference, const family::PosePictures& poses)
      : sink_(sink), reference_(reference), poses_(poses) {}

  void write(const Image& frame) override {
    const Image pose = family::image_from_tensor(poses_.of_frames(written_++, 1)[0]);
    sink_.write(concatenate_columns(std::array{reference_, pose, frame}));
  }
  void finish() override { sink_.finish(); }

 private:
  FrameSink& sink_;
  const Image& reference_;
  const family::PosePictures& poses_;
  std::int64_t written_ = 0;
};

/// Writes what the sampler believes the clean video to be. Where that cannot be written it says so and does no more.
class PreviewWriter {
 public:
  using ToPicture = std::function<Image(const at::Tensor& latent)>;

  PreviewWriter(const fs::path& file, const VideoFormat& format, ToPicture to_picture, Progress& progress)
      : to_picture_(std::move(to_picture)), progress_(progress) {
    attempt([&] { sink_ = open_video_writer(file, format); });
  }

  /// Clean latents (1, 4, n, h, w) of the next frames.
  void write(const at::Tensor& x0) {
    for (const at::Tensor& latent : x0.squeeze(0).unbind(1)) {
      if (sink_) attempt([&] { sink_->write(to_picture_(latent)); });
    }
  }
  void finish() {
    if (sink_) attempt([&] { sink_->finish(); });
  }

 private:
  template <typename Work>
  void attempt(const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kEnvironment) throw;
      sink_.reset();
      progress_.note(fmt::format("there is no preview this time: {}", error.what()));
    }
  }

  std::unique_ptr<FrameSink> sink_;
  ToPicture to_picture_;
  Progress& progress_;
};

}  // namespace

/// The models that are in memory at the moment, and what never changes.
struct Animator::State {
  family::ModelFiles files;
  family::RuntimeOptions options;
  family::ModelConfigs configs;
  std::unique_ptr<models::UNet> unet;
  std::unique_ptr<models::Autoencoder> autoencoder;
  std::unique_ptr<models::ClipVisual> clip_visual;
  at::Tensor empty_prompt;  ///< depends on nothing but the checkpoint

  [[nodiscard]] family::WeightOptions weights() const {
    return {at::TensorOptions().device(options.compute.device).dtype(options.compute.dtype), options.allow_nonfinite};
  }
  [[nodiscard]] at::Tensor on_device(const at::Tensor& x) const { return x.to(options.compute.device); }

  const models::UNet& need_unet(Progress& progress) {
    if (!unet) {
      auto loaded = family::load_unet(files.unet, configs.unet, weights(), progress);
      family::add_loras(options.loras, loaded->named_parameters(), options.allow_nonfinite, progress);
      unet = std::move(loaded);
    }
    return *unet;
  }
  const models::Autoencoder& need_autoencoder(Progress& progress) {
    if (!autoencoder)
      autoencoder = family::load_autoencoder(files.autoencoder, configs.autoencoder, weights(), progress);
    return *autoencoder;
  }
  const models::ClipVisual& need_clip_visual(Progress& progress) {
    if (!clip_visual) clip_visual = family::load_clip_visual(files.clip, configs.clip, weights(), progress);
    return *clip_visual;
  }
  const at::Tensor& need_empty_prompt(Progress& progress) {
    if (!empty_prompt.defined()) {
      empty_prompt = family::load_clip_text(files.clip, configs.clip, weights(), progress)->embed_empty_prompt();
    }
    return empty_prompt;
  }

  family::ClipConditions encode_conditions(const family::AnimateRequest& request, const Image& original,
                                           Progress& progress);
  at::Tensor encode_reference(const Image& reference, const at::Tensor& noise, Progress& progress);
  std::vector<Image> decode(const at::Tensor& latents, std::int64_t batch_size, Progress& progress);
};

at::Tensor Animator::State::encode_reference(const Image& reference, const at::Tensor& noise, Progress& progress) {
  const models::Autoencoder& model = need_autoencoder(progress);
  const at::Tensor picture =
      on_device(family::unit_range(family::tensor_from_image(reference)).permute({2, 0, 1}).unsqueeze(0));
  return model.sample_latent(model.encode_moments(2.0 * picture - 1.0), noise);
}

family::ClipConditions Animator::State::encode_conditions(const family::AnimateRequest& request, const Image& original,
                                                          Progress& progress) {
  family::ClipConditions conditions;
  conditions.empty_prompt = need_empty_prompt(progress);
  if (request.conditions.contains(family::Condition::kImage)) {
    const auto side = static_cast<int>(configs.clip.vision.image_size);
    const at::Tensor picture = family::unit_range(family::tensor_from_image(resize_bilinear(original, side, side)));
    const at::Tensor normalized = models::normalize_for_clip(picture.permute({2, 0, 1}).unsqueeze(0));
    conditions.image = need_clip_visual(progress)(on_device(normalized)).unsqueeze(1);
  }
  return conditions;
}

/// Latents (F, 4, h, w) to pictures.
std::vector<Image> Animator::State::decode(const at::Tensor& latents, std::int64_t batch_size, Progress& progress) {
  const models::Autoencoder& model = need_autoencoder(progress);
  std::vector<Image> pictures;
  for (const at::Tensor& batch : latents.split(batch_size)) {
    progress.throw_if_cancelled();
    for (const at::Tensor& picture : model.decode(on_device(batch)).unbind(0)) {
      pictures.push_back(family::image_from_decoded(picture));
    }
  }
  return pictures;
}

Animator::Animator(std::unique_ptr<State> state) : state_(std::move(state)) {}
Animator::~Animator() = default;
Animator::Animator(Animator&&) noexcept = default;
Animator& Animator::operator=(Animator&&) noexcept = default;

Animator Animator::load(const family::ModelFiles& files, const family::RuntimeOptions& options) {
  auto state = std::make_unique<State>();
  state->files = files;
  state->options = options;
  state->configs = family::read_model_configs(files);
  return Animator(std::move(state));
}

const family::ModelConfigs& Animator::configs() const {
  return state_->configs;
}

namespace {

/// Latents of 64 frames are touched at once where a whole clip is gone through.
constexpr std::int64_t kFramesAtOnce = 64;
/// Frames that are decoded between two looks at the job folder.
constexpr std::int64_t kFramesInPart = 16;

/// Nothing need be there unless latents become too many.
fs::path temporary_folder() {
  std::error_code problem;
  const fs::path folder = fs::temp_directory_path(problem);
  return problem ? fs::path("/tmp") : folder;
}

}  // namespace

/// One call of animate(): what the segments have in common, and the work on each.
class Animator::Production {
 public:
  Production(State& models, const family::AnimateRequest& request, const AnimateOptions& options, Progress& progress)
      : models_(models),
        request_(request),
        options_(options),
        progress_(progress),
        own_group_(distributed::ProcessGroup::of_one()),
        group_(options.group != nullptr ? *options.group : *own_group_),
        job_(group_.rank() == 0 ? options.job : nullptr) {}

  AnimateReport make(FrameSink& sink);

 private:
  void read_reference();
  void need_reference();
  void make_segment(std::size_t index);
  void sample(std::size_t index, const ClipTensor& latent);
  std::int64_t begin_latents(std::size_t index, const ClipTensor& latent, at::Generator& generator);
  void save(std::size_t index, std::int64_t steps, const at::Tensor& latent, const at::Generator& generator);
  void decode(std::size_t index, const at::Tensor& latent, std::int64_t done);
  void write_video();
  std::unique_ptr<PreviewWriter> begin_preview(std::int64_t steps_done);

  [[nodiscard]] std::string phase_name(const char* work, std::size_t index) const;
  [[nodiscard]] bool is_first_process() const { return group_.rank() == 0; }
  [[nodiscard]] bool is_last(std::size_t index) const { return index + 1 == segments_.size(); }
  [[nodiscard]] std::int64_t overlap() const { return request_.chain ? request_.chain->segment_overlap : 0; }

  State& models_;
  const family::AnimateRequest& request_;
  const AnimateOptions& options_;
  Progress& progress_;
  std::unique_ptr<distributed::ProcessGroup> own_group_;
  distributed::ProcessGroup& group_;
  SegmentStore* job_;

  AnimateReport report_;
  AnimatePlan plan_;
  std::optional<PhaseLog> phase_;
  const diffusion::NoiseSchedule schedule_;
  std::vector<Segment> segments_;
  Image original_;   ///< the reference as it is, until CLIP has seen it
  Image reference_;  ///< in the size of the video
  std::optional<family::PosePictures> poses_;
  at::Tensor reference_latent_;  ///< (1, 4, h, w), on the CPU
  family::ClipConditions conditions_;
  std::optional<ComparisonSink> comparison_;
  std::optional<SegmentJoiner> joiner_;
  fs::path preview_file_;  ///< the last one
  Image local_image_;      ///< what the next segment begins with; of the first one the reference
};

std::string Animator::Production::phase_name(const char* work, std::size_t index) const {
  return segments_.size() == 1 ? work : fmt::format("{} {}/{}", work, index + 1, segments_.size());
}

AnimateReport Animator::Production::make(FrameSink& sink) {
  plan_ = plan_animation(request_, models_.configs, models_.options, options_.preview);
  report_.frames = plan_.frames();
  report_.width = plan_.output_width;
  report_.height = plan_.output_height;
  report_.unet_calls = plan_.unet_calls;
  report_.notes = plan_.notes;
  for (const std::string& note : plan_.notes) progress_.note(note);
  segments_ = video_segments(plan_.frames(), request_);
  phase_.emplace(report_.phases, progress_);

  phase_->begin("read pictures", plan_.frames());
  read_reference();
  FrameSink* frames = &sink;
  if (request_.comparison) frames = &comparison_.emplace(sink, reference_, *poses_);
  joiner_.emplace(*frames, overlap());
  for (std::size_t index = 0; index < segments_.size(); ++index) make_segment(index);
  if (is_first_process()) {
    if (job_ != nullptr) write_video();
    sink.finish();
  }
  phase_.reset();
  return report_;
}

void Animator::Production::read_reference() {
  original_ = unianimate::read_reference(request_.reference, request_.background).image;
  reference_ = resize_bilinear(original_, request_.width, request_.height);
  local_image_ = reference_;
  poses_.emplace(plan_.pose_folder, plan_.selection.indices, request_.width, request_.height, progress_);
}

/// Encodes it, which a video that is only to be decoded does without.
void Animator::Production::need_reference() {
  if (reference_latent_.defined()) return;
  phase_->begin("encode reference", 0);
  // The first draw of an item, see draw_item_noise().
  const at::Tensor noise = at::randn({1, models::UNetConfig::kLatentChannels, plan_.latent.height, plan_.latent.width},
                                     make_generator(request_.seed), at::TensorOptions().dtype(at::kFloat));
  const at::Tensor latent = models_.encode_reference(reference_, models_.on_device(noise), progress_);
  reference_latent_ = latent.to(at::kCPU, at::kFloat);
  if (!plan_.keeps_all_models) models_.autoencoder.reset();
  conditions_ = models_.encode_conditions(request_, original_, progress_);
  original_ = {};
  if (!plan_.keeps_all_models) models_.clip_visual.reset();
  if (request_.conditions.contains(family::Condition::kDwpose)) conditions_.poses = &*poses_;
  if (request_.conditions.contains(family::Condition::kRandomRef)) conditions_.reference_latent = latent;
}

void Animator::Production::make_segment(std::size_t index) {
  const Segment& segment = segments_[index];
  const std::int64_t done = job_ != nullptr ? job_->finished_frames(index, progress_) : 0;
  if (done > segment.size) {
    throw Error(ErrorKind::kInput, "the job holds {} frames of a segment of {}; delete it and begin anew", done,
                segment.size);
  }
  const at::Tensor finished = at::tensor({done == segment.size ? 1 : 0}, at::kLong);
  group_.broadcast({finished});
  if (finished.item<std::int64_t>() == 0) {
    const ClipTensor latent(
        {1, models::UNetConfig::kLatentChannels, segment.size, plan_.latent.height, plan_.latent.width},
        models_.options.latent_memory, temporary_folder());
    sample(index, latent);
    if (is_first_process()) decode(index, latent.tensor(), done);
  }
  if (is_last(index)) return;
  const std::int64_t handed_on = segment.size - overlap();
  if (job_ != nullptr && done > handed_on) {
    std::int64_t frame = 0;
    job_->read_frames(index, [&](const Image& image) {
      if (frame++ == handed_on) local_image_ = image;
    });
  }
  const at::Tensor bytes = family::tensor_from_image(local_image_);
  group_.broadcast({bytes});
  local_image_ = family::image_from_tensor(bytes);
}

std::int64_t Animator::Production::begin_latents(std::size_t index, const ClipTensor& latent,
                                                 at::Generator& generator) {
  const at::Tensor& x = latent.tensor();
  const auto release = [&] { latent.release(); };
  const std::uint64_t seed = (job_ != nullptr ? job_->seed(index) : std::nullopt).value_or(request_.seed);
  const at::Tensor shared_seed = at::tensor({static_cast<std::int64_t>(seed)}, at::kLong);
  group_.broadcast({shared_seed});
  const diffusion::ItemNoise noise = diffusion::draw_item_noise_into(
      x, static_cast<std::uint64_t>(shared_seed.item<std::int64_t>()), models_.options.compute.device, release);
  generator = noise.generator;
  const at::Tensor steps =
      at::tensor({job_ != nullptr ? job_->load_sampling(index, {{"latent", x}}, generator, progress_) : 0}, at::kLong);
  group_.broadcast({steps});
  const bool begun = steps.item<std::int64_t>() > 0;
  if (begun) {
    const at::Tensor state = generator.get_state();
    group_.broadcast({state});
    generator.set_state(state);
  }
  if (!begun) need_reference();
  for (std::int64_t first = 0; first < x.size(2); first += kFramesAtOnce) {
    const std::int64_t count = std::min(kFramesAtOnce, x.size(2) - first);
    const at::Tensor part = x.narrow(2, first, count);
    if (!begun) {
      part.copy_(diffusion::start_latent(schedule_.at(static_cast<double>(request_.noise_prior)), reference_latent_,
                                         noise.of_frames(first, count), request_.noise_prior_order));
    } else if (group_.size() > 1) {
      const at::Tensor shared = part.contiguous();
      group_.broadcast({shared});
      part.copy_(shared);
    }
    release();
  }
  return steps.item<std::int64_t>();
}

void Animator::Production::sample(std::size_t index, const ClipTensor& latent) {
  const Segment& segment = segments_[index];
  const at::Tensor& x = latent.tensor();
  const std::unique_ptr<diffusion::Sampler> sampler = diffusion::make_sampler(schedule_, request_.sampling);
  const std::span<const diffusion::Level> steps = sampler->levels();
  const auto calls = [&](std::int64_t step) {
    const std::size_t windows = diffusion::context_windows(segment.size, request_.context, step).size();
    const auto batch_size = static_cast<std::size_t>(request_.context.batch_size);
    return static_cast<std::int64_t>((windows + batch_size - 1) / batch_size) *
           (request_.guidance_scale == 1.0 ? 1 : 2);
  };
  std::int64_t all_calls = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) all_calls += calls(static_cast<std::int64_t>(i));

  at::Generator generator;
  const std::int64_t done = begin_latents(index, latent, generator);
  if (done > static_cast<std::int64_t>(steps.size())) {
    throw Error(ErrorKind::kInput, "the job holds latents after {} steps, but there are {}; delete it and begin anew",
                done, steps.size());
  }
  if (done == static_cast<std::int64_t>(steps.size())) return;
  need_reference();
  phase_->begin(phase_name("load UNet", index), 0);
  const models::UNet& unet = models_.need_unet(progress_);
  phase_->begin(phase_name("sample", index), all_calls);
  family::ClipConditions clip = conditions_;
  clip.first_pose = segment.first;
  if (index > 0 || request_.conditions.contains(family::Condition::kLocalImage)) {
    clip.local_image = family::tensor_from_image(local_image_);
  }
  family::WindowConditions conditions(unet, std::move(clip),
                                      {1, std::min(segment.size, request_.context.size), x.size(3), x.size(4)});
  ClipPredictor predictor(unet, conditions, request_.context, request_.guidance_scale, group_, progress_);
  for (std::int64_t i = 0; i < done; ++i) predictor.calls_done += calls(i);
  std::optional<ClipTensor> noise;
  if (sampler->draws_noise()) {
    noise.emplace(x.sizes(), models_.options.latent_memory, temporary_folder());
  }

  for (auto i = static_cast<std::size_t>(done); i < steps.size(); ++i) {
    const auto steps_done = static_cast<std::int64_t>(i + 1);
    const diffusion::Level& level = steps[i];
    if (noise) {
      if (generator.device().is_cpu()) {
        diffusion::fill_normal(noise->tensor(), generator, [&] { noise->release(); });
      } else {
        noise->tensor().copy_(at::randn(x.sizes(), generator, at::TensorOptions().device(generator.device())));
      }
    }
    const std::unique_ptr<PreviewWriter> preview = begin_preview(steps_done);
    predictor.predict(x, static_cast<std::int64_t>(level.time), static_cast<std::int64_t>(i),
                      [&](std::int64_t first, const at::Tensor& v) {
                        const at::Tensor part = x.narrow(2, first, v.size(2));
                        const diffusion::Prediction prediction = schedule_.prediction(level, part, v);
                        if (preview) preview->write(prediction.x0);
                        part.copy_(sampler->step(i, part, prediction, {},
                                                 noise ? noise->tensor().narrow(2, first, v.size(2)) : at::Tensor()));
                        latent.release();
                        if (noise) noise->release();
                      });
    if (preview) preview->finish();
    if (job_ != nullptr && (steps_done % job_->save_every() == 0 || i + 1 == steps.size())) {
      save(index, steps_done, x, generator);
      latent.release();
    }
  }
  if (!plan_.keeps_unet) models_.unet.reset();
}

void Animator::Production::save(std::size_t index, std::int64_t steps, const at::Tensor& latent,
                                const at::Generator& generator) {
  try {
    job_->save_sampling(index, steps, {{"latent", latent}}, generator);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kEnvironment) throw;
    progress_.note(fmt::format("step {} could not be saved, and the work goes on: {}", steps, error.what()));
  }
}

std::unique_ptr<PreviewWriter> Animator::Production::begin_preview(std::int64_t steps_done) {
  const PreviewOptions& preview = options_.preview;
  if (!is_first_process() || preview.every == 0 || steps_done % preview.every != 0) return nullptr;
  PreviewWriter::ToPicture to_picture = [this](const at::Tensor& latent) {
    return models_.decode(latent.unsqueeze(0), 1, progress_).front();
  };
  if (!preview.decoded) {
    const auto linear = std::make_shared<family::LatentPreview>(reference_latent_, reference_);
    to_picture = [this, linear](const at::Tensor& latent) {
      return linear->picture(latent, request_.width, request_.height);
    };
  }
  const VideoFormat format{request_.width, request_.height, options_.frames_per_second, 0, VideoEffort::kPreview};
  const fs::path file = own_place(preview.file, kPreviewMark);
  if (std::exchange(preview_file_, file) != file) tell_place(preview.file, file, progress_);
  return std::make_unique<PreviewWriter>(file, format, std::move(to_picture), progress_);
}

void Animator::Production::decode(std::size_t index, const at::Tensor& latent, std::int64_t done) {
  const Segment& segment = segments_[index];
  phase_->begin(phase_name("decode", index), segment.size);
  const at::Tensor latents = latent.squeeze(0).transpose(0, 1);  // (F, 4, h, w)
  const bool match = request_.chain && request_.chain->color_match;
  // A segment is matched as a whole.
  const std::int64_t at_once = match ? segment.size : kFramesInPart;
  if (job_ == nullptr) joiner_->begin(segment.size, is_last(index));
  for (std::int64_t first = done; first < segment.size; first += at_once) {
    if (!is_last(index)) group_.require_all();
    const std::int64_t count = std::min(at_once, segment.size - first);
    std::vector<Image> pictures = models_.decode(latents.narrow(0, first, count), request_.decode_batch, progress_);
    if (match) match_colors(pictures, reference_);
    const std::int64_t handed_on = segment.size - overlap() - first;
    if (0 <= handed_on && handed_on < count) local_image_ = pictures[static_cast<std::size_t>(handed_on)];
    if (job_ != nullptr) {
      job_->add_frames(index, pictures);
    } else {
      for (const Image& picture : pictures) joiner_->write(picture);
    }
    progress_.step(first + count);
  }
  if (!plan_.keeps_all_models) models_.autoencoder.reset();
}

void Animator::Production::write_video() {
  phase_->begin("write video", plan_.frames());
  std::int64_t written = 0;
  for (std::size_t index = 0; index < segments_.size(); ++index) {
    joiner_->begin(segments_[index].size, is_last(index));
    job_->read_frames(index, [&](const Image& frame) {
      progress_.throw_if_cancelled();
      joiner_->write(frame);
      progress_.step(std::min(++written, plan_.frames()));
    });
  }
}

AnimateReport Animator::animate(const family::AnimateRequest& request, FrameSink& sink, Progress& progress,
                                const AnimateOptions& options) {
  const c10::InferenceMode inference;
  return Production(*state_, request, options, progress).make(sink);
}

}  // namespace unianimate::pipeline
