#include "unianimate/models/unet/unet.h"

#include <c10/core/GradMode.h>

#include <string>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/nn/recompute.h"

namespace unianimate::models {

namespace {

/// Published layout (B, C, F, H, W) <-> channels last (B, F, H, W, C).
at::Tensor channels_last(const at::Tensor& x, const at::TensorOptions& options) {
  return x.permute({0, 2, 3, 4, 1}).to(options).contiguous();
}
at::Tensor channels_second(const at::Tensor& x) {
  return x.permute({0, 4, 1, 2, 3});
}

/// Throws unless `tensor` has the sizes of `expected`, where -1 stands for any.
void require_shape(const char* name, const at::Tensor& tensor, const std::vector<std::int64_t>& expected) {
  bool fits = tensor.dim() == static_cast<std::int64_t>(expected.size());
  for (std::size_t i = 0; fits && i < expected.size(); ++i) {
    fits = expected[i] < 0 || tensor.size(static_cast<std::int64_t>(i)) == expected[i];
  }
  if (fits) return;
  throw Error(ErrorKind::kUsage, "UNet: {} has shape ({}), expected ({}) with -1 for any", name,
              fmt::join(tensor.sizes(), ", "), fmt::join(expected, ", "));
}

/// cos and sin of t·10000^(-k/half) for k = 0 … half-1, in 32-bit floats as published: (B) -> (B, 2·half).
at::Tensor sinusoidal_embedding(const at::Tensor& timesteps, std::int64_t half) {
  const at::Tensor t = timesteps.to(at::kFloat);
  const at::Tensor frequencies = at::pow(10000, -at::arange(half, t.options()).div(half));
  const at::Tensor angles = at::outer(t, frequencies);
  return at::cat({at::cos(angles), at::sin(angles)}, 1);
}

/// Leads the temporal transformers of a pass from the states of one window to those of the next.
class TemporalPass {
 public:
  explicit TemporalPass(CarriedStates* carried) : carried_(carried) {}

  [[nodiscard]] at::Tensor run(const TemporalTransformer& temporal, const at::Tensor& x) {
    if (carried_ == nullptr) return temporal(x);
    MambaHandover handover{carried_->blocks.empty() ? MambaState() : std::move(carried_->blocks.at(kept_.size())),
                           carried_->keep_after,
                           {}};
    at::Tensor y = temporal(x, &handover);
    kept_.push_back(std::move(handover.kept));
    return y;
  }
  void finish() {
    if (carried_ == nullptr) return;
    if (carried_->keep_after == 0) kept_.clear();
    carried_->blocks = std::move(kept_);
  }

 private:
  CarriedStates* carried_;
  std::vector<MambaState> kept_;
};

at::Tensor run_block(const UNetBlock& block, at::Tensor h, at::Tensor beside, const at::Tensor& silu_time,
                     const ContextKeysValues& context, TemporalPass& temporal) {
  if (block.residual) h = (*block.residual)(std::move(h), std::move(beside), silu_time);
  if (block.spatial) h = (*block.spatial)(h, context);
  if (block.temporal) h = temporal.run(*block.temporal, h);
  if (block.downsample) h = (*block.downsample)(h);
  if (block.upsample) h = (*block.upsample)(h);
  return h;
}

}  // namespace

UNet::UNet(const UNetConfig& config, const at::TensorOptions& options)
    : config_((config.check(), config)),
      options_(options),
      time_embed0_(config.dim, config.time_dim(), true, options),
      time_embed2_(config.time_dim(), config.time_dim(), true, options),
      image_condition0_(config.context_dim, config.context_dim, true, options),
      image_condition2_(config.context_dim, config.context_dim * config.num_tokens, true, options),
      local_image_stem_(config.concat_dim, options),
      local_image_after_(config.concat_dim, options),
      dwpose_stem_(config.concat_dim, options),
      dwpose_after_(config.concat_dim, options),
      reference_pose_stem_(config.input_channels(), options),
      reference_pose_after_(config.input_channels(), options),
      reference_stem_(config.input_channels(), options),
      reference_after_(config.input_channels(), options),
      conv_in_(config.input_channels(), config.dim, options),
      temporal_in_(config.dim, config.num_heads * config.head_dim, config, options),
      middle_residual0_(deepest_width(), deepest_width(), config.time_dim(), config.norm_groups, options),
      middle_spatial_(deepest_width(), config.context_dim, config.head_dim, config.norm_groups, options),
      middle_temporal_(deepest_width(), deepest_width(), config, options),
      middle_residual3_(deepest_width(), deepest_width(), config.time_dim(), config.norm_groups, options),
      norm_out_(config.norm_groups, config.dim, 1e-5, options),
      conv_out_(config.dim, UNetConfig::kLatentChannels, options) {
  register_child("time_embed.0", time_embed0_);
  register_child("time_embed.2", time_embed2_);
  register_child("pre_image_condition.0", image_condition0_);
  register_child("pre_image_condition.2", image_condition2_);
  register_child("local_image_embedding", local_image_stem_);
  register_child("local_image_embedding_after", local_image_after_);
  register_child("dwpose_embedding", dwpose_stem_);
  register_child("dwpose_embedding_after", dwpose_after_);
  register_child("randomref_pose2_embedding", reference_pose_stem_);
  register_child("randomref_pose2_embedding_after", reference_pose_after_);
  register_child("randomref_embedding2", reference_stem_);
  register_child("randomref_embedding_after2", reference_after_);
  register_child("input_blocks.0.0", conv_in_);
  register_child("input_blocks.0.1", temporal_in_);
  build_encoder();
  register_child("middle_block.0", middle_residual0_);
  register_child("middle_block.1", middle_spatial_);
  register_child("middle_block.2", middle_temporal_);
  register_child("middle_block.3", middle_residual3_);
  build_decoder();
  register_child("out.0", norm_out_);
  register_child("out.2", conv_out_);
}

void UNet::build_encoder() {
  skip_channels_.push_back(config_.dim);
  std::int64_t channels = config_.dim;
  for (std::size_t level = 0; level < config_.dim_mult.size(); ++level) {
    const std::int64_t out = config_.dim * config_.dim_mult[level];
    for (std::int64_t i = 0; i < config_.num_res_blocks; ++i) {
      UNetBlock& block = *encoder_.emplace_back(std::make_unique<UNetBlock>());
      fill_block(block, channels, out, config_.has_attention(level), fmt::format("input_blocks.{}", encoder_.size()));
      channels = out;
      skip_channels_.push_back(channels);
    }
    if (level + 1 == config_.dim_mult.size()) break;
    UNetBlock& block = *encoder_.emplace_back(std::make_unique<UNetBlock>());
    register_child(fmt::format("input_blocks.{}", encoder_.size()), block.downsample.emplace(channels, options_));
    skip_channels_.push_back(channels);
  }
}

void UNet::build_decoder() {
  std::vector<std::int64_t> skips = skip_channels_;
  std::int64_t channels = deepest_width();
  for (std::size_t level = config_.dim_mult.size(); level-- > 0;) {
    const std::int64_t out = config_.dim * config_.dim_mult[level];
    for (std::int64_t i = 0; i <= config_.num_res_blocks; ++i) {
      const std::string name = fmt::format("output_blocks.{}", decoder_.size());
      UNetBlock& block = *decoder_.emplace_back(std::make_unique<UNetBlock>());
      fill_block(block, channels + skips.back(), out, config_.has_attention(level), name);
      skips.pop_back();
      channels = out;
      if (i < config_.num_res_blocks || level == 0) continue;
      register_child(fmt::format("{}.{}", name, config_.has_attention(level) ? 3 : 1),
                     block.upsample.emplace(channels, options_));
    }
  }
}

void UNet::fill_block(UNetBlock& block, std::int64_t in, std::int64_t out, bool attention, const std::string& name) {
  register_child(name + ".0", block.residual.emplace(in, out, config_.time_dim(), config_.norm_groups, options_));
  if (!attention) return;
  register_child(name + ".1",
                 block.spatial.emplace(out, config_.context_dim, config_.head_dim, config_.norm_groups, options_));
  register_child(name + ".2", block.temporal.emplace(out, out, config_, options_));
}

at::Tensor UNet::encode_concat(const UNetConditions& conditions, const LatentShape& shape) const {
  const auto [b, f, h, w] = shape;
  at::Tensor concat = at::zeros({b, f, h, w, config_.concat_dim}, options_);
  if (conditions.local_image.defined()) {
    require_shape("local_image", conditions.local_image, {b, 3, f, -1, -1});
    // One picture for all frames passes the stem once.
    const bool repeated = conditions.local_image.stride(2) == 0;
    const at::Tensor pictures = repeated ? conditions.local_image.narrow(2, 0, 1) : conditions.local_image;
    const at::Tensor features = local_image_stem_(channels_last(pictures, options_), h, w);
    concat = concat + local_image_after_(features.expand({b, f, h, w, -1}).contiguous());
  }
  if (conditions.dwpose.defined()) {
    require_shape("dwpose", conditions.dwpose, {b, 3, 1 + f, -1, -1});
    const at::Tensor poses = channels_last(conditions.dwpose.narrow(2, 1, f), options_);
    concat = concat + dwpose_after_(dwpose_stem_(poses, h, w));
  }
  return concat;
}

at::Tensor UNet::encode_reference(const UNetConditions& conditions, const LatentShape& shape) const {
  const auto [b, f, h, w] = shape;
  if (!conditions.randomref.defined()) return at::zeros({b, 1, h, w, config_.input_channels()}, options_);
  require_shape("randomref", conditions.randomref, {b, UNetConfig::kLatentChannels, -1, h, w});
  const at::Tensor latent = channels_last(conditions.randomref.narrow(2, 0, 1), options_);
  at::Tensor reference = reference_after_(reference_stem_(latent));
  if (conditions.dwpose.defined()) {
    const at::Tensor pose = channels_last(conditions.dwpose.narrow(2, 0, 1), options_);
    reference = reference + reference_pose_after_(reference_pose_stem_(pose, h, w));
  }
  return reference;
}

at::Tensor UNet::context_tokens(const UNetConditions& conditions, const at::Tensor& empty_prompt,
                                std::int64_t batch) const {
  require_shape("empty_prompt", empty_prompt, {1, -1, config_.context_dim});
  at::Tensor image_tokens = at::zeros({batch, config_.num_tokens, config_.context_dim}, options_);
  if (conditions.image.defined()) {
    require_shape("image", conditions.image, {batch, 1, config_.context_dim});
    const at::Tensor embedding = conditions.image.to(options_);
    image_tokens = image_condition2_(at::silu(image_condition0_(embedding))).view(image_tokens.sizes());
  }
  return at::cat({empty_prompt.to(options_).expand({batch, -1, -1}), image_tokens}, 1);
}

EncodedConditions UNet::encode(const UNetConditions& conditions, const at::Tensor& empty_prompt,
                               const LatentShape& shape) const {
  EncodedConditions encoded;
  encoded.concat = encode_concat(conditions, shape);
  encoded.reference = encode_reference(conditions, shape);
  const at::Tensor context = context_tokens(conditions, empty_prompt, shape.batch);
  const auto project = [&](const UNetBlock& block) {
    if (block.spatial) encoded.context.push_back(block.spatial->project_context(context));
  };
  for (const auto& block : encoder_) project(*block);
  encoded.context.push_back(middle_spatial_.project_context(context));
  for (const auto& block : decoder_) project(*block);
  return encoded;
}

at::Tensor UNet::embed_time(const at::Tensor& timesteps) const {
  const at::Tensor sinusoids = sinusoidal_embedding(timesteps, config_.dim / 2).to(options_);
  return time_embed2_(at::silu(time_embed0_(sinusoids)));
}

void UNet::check_input(const at::Tensor& latent, const at::Tensor& timesteps,
                       const EncodedConditions& conditions) const {
  require_shape("x", latent,
                {conditions.concat.size(0), UNetConfig::kLatentChannels, conditions.concat.size(1),
                 conditions.concat.size(2), conditions.concat.size(3)});
  require_shape("timesteps", timesteps, {latent.size(0)});
  if (latent.size(3) % config_.downscale() == 0 && latent.size(4) % config_.downscale() == 0) return;
  throw Error(ErrorKind::kUsage, "UNet: latents of {}x{} cannot be halved {} times; use sides that are multiples of {}",
              latent.size(3), latent.size(4), config_.dim_mult.size() - 1, config_.downscale());
}

void UNet::check_cut(std::int64_t cut) const {
  const std::int64_t last = config_.block_count() - 2;
  if (0 <= cut && cut <= last) return;
  throw Error(ErrorKind::kUsage, "UNet: deep features can be cut at 0 to {}, found {}", last, cut);
}

void UNet::check_carried(const CarriedStates& carried, const at::Tensor& latent, const DeepFeatures* features) const {
  if (config_.temporal == TemporalKind::kMamba && features == nullptr && 0 <= carried.keep_after &&
      carried.keep_after <= latent.size(2)) {
    return;
  }
  throw Error(
      ErrorKind::kUsage,
      "UNet: states are carried by temporal Mambas, in whole passes, from one of the {} latents of a window on; "
      "found the temporal {}, {} features, and latent {}",
      latent.size(2), fields::word(config_.temporal), features == nullptr ? "no" : "deep", carried.keep_after);
}

/// The clip: the reference frame, then the latent frames with their conditions beside them.
at::Tensor UNet::join_input(const at::Tensor& latent, const EncodedConditions& conditions) const {
  const at::Tensor frames = at::cat({channels_last(latent, options_), conditions.concat}, -1);
  return at::cat({conditions.reference, frames}, 1);
}

at::Tensor UNet::operator()(const at::Tensor& latent, const at::Tensor& timesteps, const EncodedConditions& conditions,
                            DeepFeatures* features, CarriedStates* carried) const {
  check_input(latent, timesteps, conditions);
  if (carried != nullptr) check_carried(*carried, latent, features);
  if (features != nullptr) check_cut(features->cut);
  const bool reuses = features != nullptr && features->kept.defined();
  // How many entries of the encoder are computed, and which of the decoder's is the first after the cut.
  const std::size_t above = features != nullptr ? static_cast<std::size_t>(features->cut) : encoder_.size();
  const std::size_t after_cut = decoder_.size() - 1 - above;

  // 1. the time embedding, as every residual block takes it
  const at::Tensor silu_time = at::silu(embed_time(timesteps));

  // 2. encoder; what features are taken of is passed over with its context
  auto context = conditions.context.begin();
  TemporalPass temporal(carried);
  const auto apply = [&](const UNetBlock& block, at::Tensor h, at::Tensor beside, bool computed) {
    const ContextKeysValues keys_values = block.spatial ? *context++ : ContextKeysValues{};
    if (!computed) return h;
    if (!recompute_ || !c10::GradMode::is_enabled()) {
      return run_block(block, std::move(h), std::move(beside), silu_time, keys_values, temporal);
    }
    return nn::recompute(
        [&block](const std::vector<at::Tensor>& in) {
          TemporalPass alone(nullptr);
          return run_block(block, in[0], in[1], in[2], {in[3], in[4]}, alone);
        },
        {h, beside, silu_time, keys_values.keys, keys_values.values});
  };
  at::Tensor x = temporal.run(temporal_in_, conv_in_(join_input(latent, conditions)));
  std::vector<at::Tensor> skips{x};
  for (std::size_t i = 0; i < encoder_.size(); ++i) {
    const bool computed = !reuses || i < above;
    x = apply(*encoder_[i], std::move(x), {}, computed);
    if (computed) skips.push_back(x);
  }

  // 3. middle
  const ContextKeysValues& middle_context = *context++;
  if (!reuses) {
    x = middle_residual0_(std::move(x), {}, silu_time);
    x = middle_spatial_(x, middle_context);
    x = temporal.run(middle_temporal_, x);
    x = middle_residual3_(std::move(x), {}, silu_time);
  }

  // 4. decoder
  for (std::size_t i = 0; i < decoder_.size(); ++i) {
    const bool computed = !reuses || i >= after_cut;
    if (features != nullptr && i == after_cut) features->kept = x = reuses ? features->kept : x;
    at::Tensor skip;
    if (computed) {
      skip = std::move(skips.back());
      skips.pop_back();
    }
    x = apply(*decoder_[i], std::move(x), std::move(skip), computed);
  }

  temporal.finish();

  // 5. head, without the reference frame
  x = x.narrow(1, 1, latent.size(2));
  x = norm_out_.silu(nn::frames_as_batch(x)).view(x.sizes());
  return channels_second(conv_out_(x));
}

}  // namespace unianimate::models
