#include "unianimate/training/small_decoder_task.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/random.h"
#include "unianimate/family/pictures.h"
#include "unianimate/family/unianimate/small_decoder_file.h"
#include "unianimate/fields/range_check.h"
#include "unianimate/training/latent_cache.h"
#include "unianimate/training/model_export.h"
#include "unianimate/training/train_fields.h"

namespace unianimate::training {

namespace {

constexpr std::int64_t kSheetPictures = 10;
constexpr int kEdgeScales = 3;

/// The mean over pictures of several sizes, each half as large as the one before as long as they can be halved.
at::Tensor edge_error_at_scales(at::Tensor a, at::Tensor b) {
  at::Tensor sum = edge_error(a, b);
  for (int scale = 1; scale < kEdgeScales; ++scale) {
    a = at::avg_pool2d(a, {2, 2});
    b = at::avg_pool2d(b, {2, 2});
    sum = sum + edge_error(a, b);
  }
  return sum / kEdgeScales;
}

/// Of pictures in [-1, 1].
double mean_squared_error(const at::Tensor& a, const at::Tensor& b) {
  return ((a.clamp(-1, 1) - b.clamp(-1, 1)) / 2).square().mean().item<double>();
}

}  // namespace

void SmallDecoderLossOptions::check() const {
  fields::check_ranges(*this, "loss.");
  if (l1 + l2 <= 0) throw Error(ErrorKind::kUsage, "one of the loss's l1 and l2 must be above 0");
}

SmallDecoderTask::SmallDecoderTask(std::unique_ptr<models::SmallDecoder> model,
                                   std::unique_ptr<models::Autoencoder> autoencoder,
                                   family::ModelDescription description, std::shared_ptr<const FootageSource> footage,
                                   std::shared_ptr<const FootageSource> kept_aside,
                                   const SmallDecoderLossOptions& options, std::int64_t batch,
                                   std::int64_t microbatches, std::uint64_t seed)
    : model_(std::move(model)),
      autoencoder_(std::move(autoencoder)),
      device_(model_->named_parameters().front().tensor.device()),
      description_(std::move(description)),
      footage_(std::move(footage)),
      kept_aside_source_(std::move(kept_aside)),
      options_((options.check(), options)),
      order_(footage_->size(), microbatches, batch, seed),
      seed_(seed) {}

Loss SmallDecoderTask::loss(std::int64_t microbatch, double progress) {
  RandomStream random(mixed_seed(seed_, static_cast<std::uint64_t>(microbatch)));

  // 1. latents, and what the large decoder makes of them
  at::Tensor latents;
  at::Tensor target;
  {
    const c10::NoGradGuard no_gradients;
    std::vector<at::Tensor> pictures;
    for (const std::int64_t item : order_.items_of(microbatch)) pictures.push_back(footage_->load(item).pictures);
    const at::Tensor whole = autoencoder_input(at::cat(pictures)).to(device_);
    const at::Tensor moments =
        autoencoder_->encode_moments(random_pieces({whole}, options_.crops, progress, random).front());
    const at::Generator generator = make_generator(random.next());
    const at::Tensor noise = at::empty(moments.chunk(2, 1).front().sizes(), at::kFloat).normal_(0, 1, generator);
    latents = with_errors(autoencoder_->sample_latent(moments, noise), options_.latent_noise, generator);
    target = autoencoder_->decode(latents).to(at::kFloat).clamp(-1, 1);
  }

  // 2. how far the small one is from that
  const at::Tensor decoded = model_->decode(latents).to(at::kFloat);
  const at::Tensor error = decoded - target;
  const at::Tensor l1 = error.abs().mean();
  const at::Tensor l2 = error.square().mean();
  const at::Tensor edges = edge_error_at_scales(decoded, target);
  return {options_.l1 * l1 + options_.l2 * l2 + options_.edges * edges,
          {{"l1", l1.item<double>()}, {"l2", l2.item<double>()}, {"edges", edges.item<double>()}}};
}

const SmallDecoderTask::KeptAside& SmallDecoderTask::kept_aside() {
  if (kept_aside_.truth.defined()) return kept_aside_;
  std::vector<at::Tensor> truth;
  std::vector<at::Tensor> latents;
  std::vector<at::Tensor> large;
  for (std::int64_t item = 0; item < kept_aside_source_->size(); ++item) {
    for (const at::Tensor& picture : autoencoder_input(kept_aside_source_->load(item).pictures).to(device_).split(1)) {
      const at::Tensor moments = autoencoder_->encode_moments(picture).to(at::kFloat);
      truth.push_back(picture);
      latents.push_back(autoencoder_->config().scale_factor * moments.chunk(2, 1).front());
      large.push_back(autoencoder_->decode(latents.back()).to(at::kFloat));
    }
  }
  kept_aside_ = {at::cat(truth), at::cat(latents), at::cat(large)};
  return kept_aside_;
}

at::Tensor SmallDecoderTask::decode(const at::Tensor& latents) const {
  std::vector<at::Tensor> pictures;
  for (const at::Tensor& latent : latents.split(1)) pictures.push_back(model_->decode(latent).to(at::kFloat));
  return at::cat(pictures);
}

Measurements SmallDecoderTask::validate() {
  const c10::NoGradGuard no_gradients;
  const KeptAside& aside = kept_aside();
  const at::Tensor small = decode(aside.latents);
  const double error = mean_squared_error(small, aside.large);
  return {{"validation", std::sqrt(error)},
          {"psnr", psnr_of(error)},
          {"truth_psnr", psnr_of(mean_squared_error(small, aside.truth))},
          {"large_truth_psnr", psnr_of(mean_squared_error(aside.large, aside.truth))}};
}

Image SmallDecoderTask::sample_sheet(const Progress&) {
  const c10::NoGradGuard no_gradients;
  const KeptAside& aside = kept_aside();
  const std::int64_t count = std::min(kSheetPictures, aside.truth.size(0));
  const auto row = [&](const at::Tensor& all) { return at::cat(all.narrow(0, 0, count).cpu().unbind(0), 2); };
  const at::Tensor small = decode(aside.latents.narrow(0, 0, count));
  return family::image_from_decoded(at::cat({row(aside.truth), row(aside.large), row(small)}, 1));
}

void SmallDecoderTask::export_model(const std::filesystem::path& folder) const {
  ModelWeights weights;
  weights.small_decoder = model_->named_parameters();
  weights.small_decoder_metadata = family::small_decoder_metadata(*autoencoder_);
  training::export_model(folder, description_, weights);
}

}  // namespace unianimate::training
