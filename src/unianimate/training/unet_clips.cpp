#include "unianimate/training/unet_clips.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "unianimate/core/random.h"
#include "unianimate/diffusion/sampling_loop.h"
#include "unianimate/diffusion/start_latent.h"
#include "unianimate/family/pictures.h"
#include "unianimate/media/pictures/resize.h"

namespace unianimate::training {

namespace {

using family::Condition;
using family::ConditionSet;

constexpr std::uint64_t kKeptAsideStream = 0x7A11DA7E;
constexpr std::int64_t kSheetPeople = 4;

bool contains(const Conditions& set, Condition condition) {
  return std::ranges::find(set, condition) != set.end();
}

/// This process's share of the processors, which have nothing to do while a card computes.
int spare_threads(at::Device device) {
  return device.is_cpu() ? 0 : std::max(1, at::get_num_threads() - 1);
}

at::Tensor as_clip(const at::Tensor& bytes) {
  return family::unit_range(bytes).permute({0, 4, 1, 2, 3});
}

}  // namespace

Conditions reference_set() {
  return ConditionSet().conditions();
}
Conditions first_frame_set() {
  return ConditionSet::parse("first-frame").conditions();
}
bool begins_with_reference(const Conditions& set) {
  return contains(set, Condition::kLocalImage);
}

UNetClips::UNetClips(const UNetTaskModels& models, std::shared_ptr<const FootageSource> footage,
                     std::shared_ptr<const FootageSource> kept_aside, std::int64_t frames, std::int64_t batch,
                     std::int64_t microbatches, std::uint64_t seed, bool keep_latents)
    : models_(models),
      footage_(std::move(footage)),
      kept_aside_(std::move(kept_aside)),
      frames_(frames),
      order_(footage_->size(), microbatches, batch, seed),
      empty_prompt_(models_.clip_text->embed_empty_prompt().detach()),
      device_(empty_prompt_.device()),
      cache_(*footage_, *models_.autoencoder, keep_latents, spare_threads(device_)),
      kept_aside_cache_(*kept_aside_, *models_.autoencoder, true) {}

std::vector<std::shared_ptr<const EncodedFootage>> UNetClips::items_of(std::int64_t microbatch) {
  const std::int64_t next = order_.next(microbatch);
  for (const std::int64_t soon : {microbatch, next, order_.next(next)}) cache_.expect(order_.items_of(soon));
  std::vector<std::shared_ptr<const EncodedFootage>> items;
  for (const std::int64_t index : order_.items_of(microbatch)) items.push_back(cache_.item(index));
  return items;
}

ClipTake UNetClips::take(const Footage& footage, bool coherent, bool from_reference, RandomStream& random) const {
  ClipTake result;
  const std::int64_t moments = footage.moments();
  if (coherent || from_reference) {
    // Stretched over as long a time as there are frames for.
    const std::int64_t most = frames_ > 1 ? (footage.coherent - 1) / (frames_ - 1) : 1;
    const std::int64_t interval = 1 + random.below(std::max<std::int64_t>(1, most));
    const std::int64_t last = footage.coherent - 1 - interval * (frames_ - 1);
    const std::int64_t first = random.below(last + 1);
    for (std::int64_t i = 0; i < frames_; ++i) result.frames.push_back(first + i * interval);
  } else {
    std::vector<std::int64_t> all(static_cast<std::size_t>(moments));
    std::iota(all.begin(), all.end(), 0);
    for (std::int64_t i = 0; i < frames_; ++i) {
      std::swap(all[static_cast<std::size_t>(i)], all[static_cast<std::size_t>(i + random.below(moments - i))]);
    }
    result.frames.assign(all.begin(), all.begin() + frames_);
  }
  result.reference = from_reference ? result.frames.front() : random.below(moments);
  return result;
}

ClipBatch UNetClips::assemble(const std::vector<std::shared_ptr<const EncodedFootage>>& items,
                              const std::vector<ClipTake>& takes) const {
  std::vector<at::Tensor> moments;
  std::vector<at::Tensor> reference_moments;
  std::vector<at::Tensor> poses;
  std::vector<at::Tensor> references;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const ClipTake& take = takes[i];
    const EncodedFootage& item = *items[i];
    std::vector<std::int64_t> with_reference{take.reference};
    with_reference.insert(with_reference.end(), take.frames.begin(), take.frames.end());
    moments.push_back(item.moments.index_select(0, at::tensor(take.frames).to(item.moments.device())));
    reference_moments.push_back(item.moments[take.reference]);
    poses.push_back(item.footage.poses.index_select(0, at::tensor(with_reference)));
    references.push_back(item.footage.pictures[take.reference]);
  }
  return {at::stack(moments), at::stack(reference_moments), at::stack(poses).to(device_), at::stack(references)};
}

KeptAsideClip UNetClips::kept_aside_clip(std::int64_t index, const Conditions& set) {
  RandomStream random(mixed_seed(kKeptAsideStream, static_cast<std::uint64_t>(index)));
  const auto item = kept_aside_cache_.item(index);
  const ClipTake frames = take(item->footage, true, begins_with_reference(set), random);
  return {assemble({item}, {frames}), item->footage.pictures.index_select(0, at::tensor(frames.frames)), random.next()};
}

CleanLatents UNetClips::sample_latents(const ClipBatch& batch, at::Generator generator) const {
  const auto latent_of = [&](const at::Tensor& moments) {
    const at::Tensor flat = moments.flatten(0, -4);
    const at::Tensor normal = at::empty({flat.size(0), flat.size(1) / 2, flat.size(2), flat.size(3)}, at::kFloat)
                                  .normal_(0, 1, generator)
                                  .to(device_);
    return models_.autoencoder->sample_latent(flat, normal);
  };
  CleanLatents clean;
  clean.clips = latent_of(batch.moments).unflatten(0, {batch.moments.size(0), -1}).transpose(1, 2).contiguous();
  clean.reference = latent_of(batch.reference_moments);
  return clean;
}

at::Tensor UNetClips::reference_latent(const ClipBatch& batch) const {
  return models_.description.configs.autoencoder.scale_factor * batch.reference_moments.chunk(2, 1)[0];
}

at::Tensor UNetClips::noise(const at::Tensor& clips, double offset, at::Generator generator) const {
  const auto normal = [&](at::IntArrayRef shape) {
    return at::empty(shape, at::kFloat).normal_(0, 1, generator).to(device_);
  };
  const at::Tensor shift = normal({clips.size(0), clips.size(1), clips.size(2), 1, 1});
  return normal(clips.sizes()) + offset * shift;
}

at::Tensor UNetClips::embed_picture(const at::Tensor& pictures) const {
  const auto side = static_cast<int>(models_.description.configs.clip.vision.image_size);
  std::vector<at::Tensor> sized;
  for (const at::Tensor& picture : pictures.unbind(0)) {
    const Image small = resize_bilinear(family::image_from_tensor(picture), side, side);
    sized.push_back(family::unit_range(family::tensor_from_image(small)).permute({2, 0, 1}));
  }
  return (*models_.clip_visual)(models::normalize_for_clip(at::stack(sized)).to(device_)).unsqueeze(1);
}

models::UNetConditions UNetClips::conditions(const ClipBatch& batch, const Conditions& set,
                                             const at::Tensor& reference_latent) const {
  models::UNetConditions given;
  if (contains(set, Condition::kImage)) given.image = embed_picture(batch.reference);
  if (contains(set, Condition::kDwpose)) given.dwpose = as_clip(batch.poses);
  if (contains(set, Condition::kRandomRef)) given.randomref = reference_latent.unsqueeze(2);
  if (contains(set, Condition::kLocalImage)) {
    given.local_image =
        as_clip(batch.reference.unsqueeze(1).to(device_)).expand({-1, -1, batch.moments.size(1), -1, -1});
  }
  return given;
}

models::EncodedConditions UNetClips::encode(const models::UNet& unet, const ClipBatch& batch, const Conditions& set,
                                            const at::Tensor& reference_latent) const {
  const at::Tensor& moments = batch.moments;
  const models::LatentShape shape{moments.size(0), moments.size(1), moments.size(3), moments.size(4)};
  return unet.encode(conditions(batch, set, reference_latent), empty_prompt_, shape);
}

at::Tensor UNetClips::sample(const ClipBatch& batch, const diffusion::SamplerOptions& sampling, const VPrediction& v,
                             const Progress& progress) const {
  constexpr std::uint64_t kSeed = 11;
  const family::AnimateRequest& defaults = models_.description.defaults;
  const at::Tensor reference = reference_latent(batch);
  const std::array size{std::int64_t{1}, reference.size(1), batch.moments.size(1), reference.size(2),
                        reference.size(3)};
  const diffusion::ItemNoise noise = diffusion::draw_item_noise(kSeed, size, device_);
  const diffusion::Level prior = schedule_.at(static_cast<double>(defaults.noise_prior));
  const diffusion::Denoiser denoise = [&](const at::Tensor& x, const diffusion::Level& level, std::int64_t,
                                          const diffusion::TakeOutput& take) {
    progress.throw_if_cancelled();
    take(0, v(x, at::tensor({static_cast<std::int64_t>(level.time)}).to(device_)));
  };
  const std::unique_ptr<diffusion::Sampler> sampler = diffusion::make_sampler(schedule_, sampling);
  diffusion::SamplingState state = diffusion::sampling_state(
      *sampler, diffusion::start_latent(prior, reference, noise, defaults.noise_prior_order), noise.generator);
  diffusion::SamplingObserver nobody;
  diffusion::run_sampler(*sampler, schedule_, denoise, state, nobody);
  return state.x;
}

Image UNetClips::sample_sheet(const std::vector<Conditions>& sets, const std::vector<Maker>& makers) {
  const c10::NoGradGuard no_gradients;
  std::vector<at::Tensor> rows;
  const auto row = [](const at::Tensor& pictures) { return at::cat(pictures.unbind(0), 2); };
  for (std::int64_t index = 0; index < std::min(kSheetPeople, kept_aside()); ++index) {
    const Conditions& set = sets.at(static_cast<std::size_t>(index) % sets.size());
    const KeptAsideClip clip = kept_aside_clip(index, set);
    const at::Tensor reference = autoencoder_input(clip.batch.reference);
    const at::Tensor truth = autoencoder_input(clip.pictures);
    const at::Tensor poses = autoencoder_input(clip.batch.poses.cpu()[0].narrow(0, 1, truth.size(0)));
    const at::Tensor nothing = -at::ones_like(reference);
    rows.push_back(row(at::cat({nothing, poses})));
    rows.push_back(row(at::cat({reference, truth})));
    for (const Maker& maker : makers) {
      const at::Tensor latents = maker(clip.batch, set).squeeze(0).transpose(0, 1);
      rows.push_back(row(at::cat({nothing, models_.autoencoder->decode(latents).to(at::kFloat).cpu()})));
    }
  }
  return family::image_from_decoded(at::cat(rows, 1));
}

}  // namespace unianimate::training
