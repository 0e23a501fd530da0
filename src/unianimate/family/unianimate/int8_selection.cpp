#include "unianimate/family/unianimate/int8_selection.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "unianimate/core/error.h"
#include "unianimate/core/random.h"
#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/family/pictures.h"
#include "unianimate/family/unianimate/picture_encoding.h"
#include "unianimate/models/int8_candidates.h"
#include "unianimate/pose/draw/drawing.h"
#include "unianimate/puppet/clip_poses.h"

namespace unianimate::family {

namespace {

constexpr std::uint64_t kSeed = 20'240'601;
constexpr std::int64_t kFrames = 4;
constexpr int kWidth = 128;
constexpr int kHeight = 192;
constexpr std::array<std::int64_t, kMeasuringPasses> kTimesteps{949, 499, 40};
constexpr std::size_t kNamesInSentence = 4;

/// The next multiple of `unit`.
int multiple(int side, std::int64_t unit) {
  return static_cast<int>((side + unit - 1) / unit * unit);
}

puppet::ClipOptions drawn_clip(const ModelConfigs& configs) {
  const std::int64_t unit = configs.autoencoder.downscale() * configs.unet.downscale();
  return {.seed = kSeed, .width = multiple(kWidth, unit), .height = multiple(kHeight, unit), .frames = kFrames};
}

/// (H, W, 3) in [0, 1].
at::Tensor pose_picture(const pose::Keypoints& keypoints, const puppet::ClipOptions& options) {
  return unit_range(tensor_from_image(pose::draw_pose(keypoints, options.width, options.height)));
}

at::Tensor pose_pictures(const puppet::Clip& clip) {
  std::vector<at::Tensor> pictures{pose_picture(clip.reference_keypoints(), clip.options())};
  for (std::int64_t i = 0; i < kFrames; ++i) pictures.push_back(pose_picture(clip.keypoints(i), clip.options()));
  return at::stack(pictures).permute({3, 0, 1, 2}).unsqueeze(0);
}

std::vector<Int8Error> take_errors(const std::vector<nn::NamedProduct>& layers, double most) {
  std::vector<Int8Error> errors;
  for (const nn::NamedProduct& layer : layers) errors.push_back({layer.name, layer.product->take_int8_error(), most});
  return errors;
}

}  // namespace

ClipShape drawn_person_shape(const ModelConfigs& configs) {
  const puppet::ClipOptions options = drawn_clip(configs);
  const std::int64_t unit = configs.autoencoder.downscale();
  return {kFrames, options.height / unit, options.width / unit};
}

at::Tensor encode_drawn_frame(LoadedModels& models, Progress& progress) {
  const c10::InferenceMode inference;
  return mean_latent(models, puppet::Clip(drawn_clip(models.configs())).frame(0), progress);
}

DrawnPerson encode_drawn_person(LoadedModels& models, Progress& progress) {
  const c10::InferenceMode inference;
  const LoadedModels::Visit visit(models);
  const puppet::Clip clip(drawn_clip(models.configs()));
  std::vector<at::Tensor> latents;
  for (std::int64_t i = 0; i < kFrames; ++i) latents.push_back(mean_latent(models, clip.frame(i), progress));
  const Image reference = clip.reference();
  DrawnPerson person;
  person.latents = at::stack(latents, 2).to(at::kFloat);
  person.conditions.randomref = mean_latent(models, reference, progress).unsqueeze(2);
  person.conditions.image = image_embedding(models, reference, progress);
  person.conditions.dwpose = pose_pictures(clip);
  person.empty_prompt = models.empty_prompt(progress);
  return person;
}

std::vector<Int8Error> measure_int8(const models::UNet& unet, const DrawnPerson& person, Progress& progress) {
  const c10::InferenceMode inference;
  const std::vector<nn::NamedProduct> layers = models::int8_candidates(unet);
  for (const nn::NamedProduct& layer : layers) layer.product->measure_int8();
  const at::Tensor& latents = person.latents;
  const models::EncodedConditions conditions =
      unet.encode(person.conditions, person.empty_prompt, {1, kFrames, latents.size(3), latents.size(4)});
  const at::Tensor noise = at::randn(latents.sizes(), make_generator(kSeed), latents.options());
  const diffusion::NoiseSchedule schedule;
  for (const std::int64_t timestep : kTimesteps) {
    progress.throw_if_cancelled();
    const double signal = schedule.alpha_cumprod(timestep);
    const at::Tensor x = std::sqrt(signal) * latents + std::sqrt(1 - signal) * noise;
    static_cast<void>(unet(x, at::full({1}, timestep, at::kLong), conditions));
  }
  return take_errors(layers, kMostInt8Error);
}

std::vector<Int8Error> measure_int8(const models::Autoencoder& autoencoder, const at::Tensor& latent) {
  const c10::InferenceMode inference;
  const std::vector<nn::NamedProduct> layers = models::int8_candidates(autoencoder);
  for (const nn::NamedProduct& layer : layers) layer.product->measure_int8();
  static_cast<void>(autoencoder.decode(latent));
  return take_errors(layers, kMostInt8DecoderError);
}

std::string sentence(const std::vector<Int8Error>& errors, std::string_view model) {
  std::vector<Int8Error> left;
  std::ranges::copy_if(errors, std::back_inserter(left), std::not_fn(fits_int8));
  std::string count = fmt::format("8 bits in {} of {} layers of {}", errors.size() - left.size(), errors.size(), model);
  if (left.empty()) return count;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(left.size(), kNamesInSentence); ++i) {
    names.push_back(fmt::format("{} ({:.1f} %)", left[i].layer, 100 * left[i].error));
  }
  return fmt::format("{}; the others would move by over {:.0f} %: {}{}", count, 100 * left.front().most,
                     fmt::join(names, ", "), left.size() > kNamesInSentence ? ", …" : "");
}

}  // namespace unianimate::family
