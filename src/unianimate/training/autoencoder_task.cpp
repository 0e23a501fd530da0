#include "unianimate/training/autoencoder_task.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/random.h"
#include "unianimate/core/random_stream.h"
#include "unianimate/family/pictures.h"
#include "unianimate/fields/range_check.h"
#include "unianimate/training/latent_cache.h"
#include "unianimate/training/model_export.h"
#include "unianimate/training/train_fields.h"

namespace unianimate::training {

namespace {

constexpr std::int64_t kSheetPictures = 10;

/// Everything near the skeleton: pose pictures show the bones, the figure is about this much wider.
at::Tensor figure_mask(const at::Tensor& poses) {
  constexpr std::int64_t kReach = 7;
  return at::max_pool2d(skeleton_mask(poses).unsqueeze(1), {kReach, kReach}, {1, 1}, {kReach / 2, kReach / 2});
}

}  // namespace

void AutoencoderLossOptions::check() const {
  fields::check_ranges(*this, "loss.");
  if (l1 + l2 <= 0) throw Error(ErrorKind::kUsage, "one of the loss's l1 and l2 must be above 0");
}

AutoencoderTask::AutoencoderTask(std::unique_ptr<models::Autoencoder> model, family::ModelDescription description,
                                 std::shared_ptr<const FootageSource> footage, const FootageSource& kept_aside,
                                 const AutoencoderLossOptions& options, std::int64_t batch, std::int64_t microbatches,
                                 std::uint64_t seed, bool normalize)
    : model_(std::move(model)),
      device_(model_->named_parameters().front().tensor.device()),
      description_(std::move(description)),
      footage_(std::move(footage)),
      options_((options.check(), options)),
      order_(footage_->size(), microbatches, batch, seed),
      seed_(seed),
      normalize_(normalize) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(kept_aside.size()));
  std::iota(all.begin(), all.end(), 0);
  kept_aside_ = load(kept_aside, all);
}

AutoencoderTask::Batch AutoencoderTask::load(const FootageSource& source,
                                             const std::vector<std::int64_t>& items) const {
  std::vector<at::Tensor> pictures;
  std::vector<at::Tensor> poses;
  std::vector<at::Tensor> faces;
  for (const std::int64_t item : items) {
    const Footage footage = source.load(item);
    pictures.push_back(footage.pictures);
    poses.push_back(footage.poses);
    faces.push_back(footage.faces);
  }
  return {autoencoder_input(at::cat(pictures)).to(device_), figure_mask(at::cat(poses)).to(device_),
          at::cat(faces).to(device_, at::kFloat).unsqueeze(1)};
}

Loss AutoencoderTask::loss(std::int64_t microbatch, double progress) {
  RandomStream random(mixed_seed(seed_, static_cast<std::uint64_t>(microbatch)));
  Batch batch = load(*footage_, order_.items_of(microbatch));

  // 1. pieces of the pictures
  const std::vector<at::Tensor> pieces =
      random_pieces({batch.pictures, batch.figure, batch.faces}, options_.crops, progress, random);
  batch = {pieces[0], pieces[1], pieces[2]};

  // 2. there and back
  const at::Tensor moments = model_->encode_moments(batch.pictures).to(at::kFloat);
  const std::vector<at::Tensor> halves = moments.chunk(2, 1);
  const at::Generator generator = make_generator(random.next());
  const at::Tensor noise = at::empty(halves[0].sizes(), at::kFloat).normal_(0, 1, generator).to(device_);
  const at::Tensor latent = with_errors(model_->sample_latent(moments, noise), options_.latent_noise, generator);
  const at::Tensor decoded = model_->decode(latent).to(at::kFloat);

  // 3. what it lost
  const at::Tensor weight = 1 + options_.figure * batch.figure + options_.faces * batch.faces;
  const at::Tensor error = decoded - batch.pictures;
  const at::Tensor l1 = (weight * error.abs()).mean();
  const at::Tensor l2 = (weight * error.square()).mean();
  const at::Tensor edges = edge_error(decoded, batch.pictures);
  const at::Tensor logvar = halves[1].clamp(-30.0, 20.0);
  const at::Tensor kl = 0.5 * (halves[0].square() + logvar.exp() - 1 - logvar).mean();
  const double fading = options_.anchor_until > 0 ? std::max(0.0, 1 - progress / options_.anchor_until) : 0.0;
  Loss loss;
  loss.total = options_.l1 * l1 + options_.l2 * l2 + options_.edges * edges + options_.kl * kl;
  if (options_.anchor * fading > 0) {
    const at::Tensor shrunk = at::adaptive_avg_pool2d(batch.pictures, {moments.size(2), moments.size(3)});
    const at::Tensor off = halves[0].narrow(1, 0, 3) - 2 * shrunk;
    loss.total = loss.total + options_.anchor * fading * off.square().mean();
  }
  loss.parts = {{"l1", l1.item<double>()},
                {"l2", l2.item<double>()},
                {"edges", edges.item<double>()},
                {"kl", kl.item<double>()},
                {"posterior_deviation", (0.5 * logvar).exp().mean().item<double>()}};
  return loss;
}

Measurements AutoencoderTask::validate() {
  const c10::NoGradGuard no_gradients;
  const Batch& batch = kept_aside_;
  const at::Tensor squared = ((reconstruct(batch.pictures).clamp(-1, 1) - batch.pictures) / 2).square();
  const auto everywhere = squared.mean().item<double>();
  const auto in_figure = (squared * batch.figure).sum().item<double>() / (3 * batch.figure.sum().item<double>());
  return {{"validation", std::sqrt(everywhere)}, {"psnr", psnr_of(everywhere)}, {"figure_psnr", psnr_of(in_figure)}};
}

Image AutoencoderTask::sample_sheet(const Progress&) {
  const c10::NoGradGuard no_gradients;
  const at::Tensor pictures = kept_aside_.pictures.narrow(0, 0, std::min(kSheetPictures, kept_aside_.pictures.size(0)));
  const at::Tensor decoded = reconstruct(pictures);
  const auto row = [](const at::Tensor& all) { return at::cat(all.unbind(0), 2); };
  return family::image_from_decoded(at::cat({row(pictures.cpu()), row(decoded.cpu())}, 1));
}

at::Tensor AutoencoderTask::reconstruct(const at::Tensor& pictures) const {
  const at::Tensor means = model_->encode_moments(pictures).to(at::kFloat).chunk(2, 1)[0];
  return model_->decode(description_.configs.autoencoder.scale_factor * means).to(at::kFloat);
}

NamedTensors AutoencoderTask::normalized_parameters() const {
  const c10::NoGradGuard no_gradients;
  const std::int64_t z = description_.configs.autoencoder.z_channels;
  const at::Tensor means = model_->encode_moments(kept_aside_.pictures).to(at::kFloat).narrow(1, 0, z);
  const at::Tensor mean = means.mean({0, 2, 3});
  const at::Tensor deviation = means.transpose(0, 1).flatten(1).std(1) * description_.configs.autoencoder.scale_factor;
  NamedTensors parameters;
  for (const auto& [name, tensor] : model_->named_parameters()) {
    at::Tensor value = tensor.detach().to(at::kFloat).clone();
    if (name == "quant_conv.weight") {
      value.narrow(0, 0, z).div_(deviation.view({z, 1, 1, 1}));
    } else if (name == "quant_conv.bias") {
      value.narrow(0, 0, z).sub_(mean).div_(deviation);
      value.narrow(0, z, z).sub_(2 * deviation.log());
    } else if (name == "post_quant_conv.weight") {
      value.mul_(deviation.view({1, z, 1, 1}));
    } else if (name == "post_quant_conv.bias") {
      for (const NamedTensor& other : model_->named_parameters()) {
        if (other.name == "post_quant_conv.weight") value.add_(at::mv(other.tensor.to(at::kFloat).flatten(1), mean));
      }
    }
    parameters.push_back({name, value});
  }
  return parameters;
}

void AutoencoderTask::export_model(const std::filesystem::path& folder) const {
  ModelWeights weights;
  weights.autoencoder = normalize_ ? normalized_parameters() : model_->named_parameters();
  training::export_model(folder, description_, weights);
}

}  // namespace unianimate::training
