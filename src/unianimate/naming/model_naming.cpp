#include "unianimate/naming/model_naming.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "unianimate/naming/autoencoder_names.h"
#include "unianimate/naming/clip_names.h"
#include "unianimate/naming/name_pattern.h"

namespace unianimate::naming {

namespace {

using checkpoint::Checkpoint;
using checkpoint::Placement;
using checkpoint::TensorEntry;

/// A way to name a model's tensors, known by one name that no other way has.
struct Convention {
  ModelRole role;
  std::string_view program;
  std::string_view telling_name;
};

constexpr std::array<Convention, 5> kConventions{{
    {ModelRole::kUNet, "", "pre_image_condition.0.weight"},
    {ModelRole::kAutoencoder, "", "encoder.down.0.block.0.norm1.weight"},
    {ModelRole::kAutoencoder, "diffusers", "encoder.down_blocks.0.resnets.0.norm1.weight"},
    {ModelRole::kClip, "", "visual.conv1.weight"},
    {ModelRole::kClip, "transformers", "vision_model.embeddings.patch_embedding.weight"},
}};

/// Models of the same use that are known and cannot be read.
struct ForeignModel {
  ModelRole role;
  std::string_view telling_name;
  std::string_view sentence;
};

constexpr std::array<ForeignModel, 5> kForeignModels{{
    {ModelRole::kUNet, "time_embedding.linear_1.weight",
     "its names are those of a UNet of diffusers ('down_blocks.…'), for which no mapping to this model is certain"},
    {ModelRole::kUNet, "time_embed.0.weight", "it is a UNet of Stable Diffusion's kind without the conditions of this"},
    {ModelRole::kUNet, "patch_embedding.weight", "its names are those of a diffusion transformer, which is no UNet"},
    {ModelRole::kClip, "text_model.embeddings.token_embedding.weight",
     "it holds a text tower of transformers and no picture tower"},
    {ModelRole::kClip, "token_embedding.weight", "it holds a text tower and no picture tower"},
}};

/// What training leaves beside a model: names, or with a dot at their end beginnings of names.
constexpr std::array<std::string_view, 42> kCompany{
    "loss.",
    "model_ema.",
    "ema.",
    "ema_model.",
    "discriminator.",
    "perceptual_loss.",
    "lpips.",
    "optimizer.",
    "optimizers.",
    "optimizer_states.",
    "optim.",
    "lr_scheduler.",
    "lr_schedulers.",
    "scheduler.",
    "callbacks.",
    "loops.",
    "scaler.",
    "cond_stage_model.",
    "first_stage_model.",
    "conditioner.",
    "denoiser.",
    "betas",
    "alphas_cumprod",
    "alphas_cumprod_prev",
    "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod",
    "log_one_minus_alphas_cumprod",
    "sqrt_recip_alphas_cumprod",
    "sqrt_recipm1_alphas_cumprod",
    "posterior_variance",
    "posterior_log_variance_clipped",
    "posterior_mean_coef1",
    "posterior_mean_coef2",
    "logvar",
    "lvlb_weights",
    "scale_factor",
    "step",
    "global_step",
    "epoch",
    "iteration",
    "text_model.embeddings.position_ids",
    "vision_model.embeddings.position_ids",
};
/// Numbers that OpenAI's CLIP files hold beside the weights, and a mask that some of OpenCLIP's do.
constexpr std::array<std::string_view, 4> kClipCompany{"input_resolution", "context_length", "vocab_size", "attn_mask"};

/// Words in a prefix that mean averages over the steps of a training.
constexpr std::array<std::string_view, 5> kAverages{"ema", "averaged", "swa", "avg", "shadow"};

bool is_company(std::string_view name) {
  const auto fits = [&](std::string_view known) {
    return known.ends_with('.') ? name.starts_with(known) : name == known;
  };
  return std::ranges::any_of(kCompany, fits) || std::ranges::any_of(kClipCompany, fits);
}

/// "model_ema." is, "non_ema." is not.
bool is_average(std::string_view prefix) {
  for (bool negated = false; !prefix.empty();) {
    const std::size_t end = std::min(prefix.find_first_of("._-"), prefix.size());
    const std::string_view word = prefix.substr(0, end);
    if (!negated && std::ranges::count(kAverages, word) > 0) return true;
    negated = word == "non" || word == "no";
    prefix.remove_prefix(std::min(end + 1, prefix.size()));
  }
  return false;
}

/// What stands before the model's names where the published file has it.
std::string_view published_prefix(ModelRole role) {
  return role == ModelRole::kAutoencoder ? "first_stage_model." : "";
}

/// What stands before `ending` in `name`; empty unless that is nothing or ends with a dot.
std::optional<std::string> prefix_before(std::string_view name, std::string_view ending) {
  if (!name.ends_with(ending)) return std::nullopt;
  const std::string_view prefix = name.substr(0, name.size() - ending.size());
  return prefix.empty() || prefix.ends_with('.') ? std::optional(std::string(prefix)) : std::nullopt;
}

struct Candidate {
  const Convention* convention;
  std::string prefix;
};

std::vector<Candidate> find_candidates(const Checkpoint& checkpoint, ModelRole role) {
  std::vector<Candidate> candidates;
  for (const Convention& convention : kConventions) {
    if (convention.role != role) continue;
    for (const TensorEntry& entry : checkpoint.tensors()) {
      if (auto prefix = prefix_before(entry.name, convention.telling_name)) {
        candidates.push_back({&convention, std::move(*prefix)});
      }
    }
  }
  return candidates;
}

std::string in_quotes(const std::vector<Candidate>& candidates) {
  std::vector<std::string> shown;
  for (const Candidate& candidate : candidates) {
    shown.push_back(candidate.prefix.empty() ? "no prefix" : fmt::format("'{}'", printable(candidate.prefix)));
  }
  return fmt::format("{}", fmt::join(shown, ", "));
}

/// Moves the candidate to read to the front.
void choose(std::vector<Candidate>& candidates, const Checkpoint& checkpoint, ModelRole role) {
  const auto rank = [&](const Candidate& candidate) {
    if (is_average(candidate.prefix)) return 3;
    if (candidate.prefix == published_prefix(role)) return 0;
    return candidate.prefix.empty() ? 1 : 2;
  };
  constexpr std::size_t kMost = 16;
  if (candidates.size() > kMost) {
    throw checkpoint.file().refusal("it holds the {} {} times; keep one of them in a file of its own", label(role),
                                    candidates.size());
  }
  std::ranges::stable_sort(candidates, {}, rank);
  if (candidates.size() > 1 && rank(candidates[0]) >= 2 && rank(candidates[0]) == rank(candidates[1])) {
    throw checkpoint.file().refusal(
        "it holds the {} more than once, under {}, and none is to be preferred; keep one of them in a file of its own",
        label(role), in_quotes(candidates));
  }
}

std::int64_t decoder_levels(const Checkpoint& checkpoint, const std::string& prefix) {
  constexpr std::array<NameRule, 1> kLevel{{{"decoder.up_blocks.#.", ""}}};
  std::int64_t levels = 0;
  for (const TensorEntry& entry : checkpoint.tensors()) {
    if (!entry.name.starts_with(prefix)) continue;
    if (const auto level = match_rule(kLevel, std::string_view(entry.name).substr(prefix.size()))) {
      levels = std::max(levels, level->numbers[0] + 1);
    }
  }
  return levels;
}

std::function<Placement(std::string_view)> translation(const Candidate& candidate, const Checkpoint& checkpoint) {
  const bool published = candidate.convention->program.empty();
  switch (candidate.convention->role) {
    case ModelRole::kUNet:
      break;
    case ModelRole::kAutoencoder:
      if (published) break;
      return [levels = decoder_levels(checkpoint, candidate.prefix)](std::string_view name) {
        return place_diffusers_autoencoder(name, levels);
      };
    case ModelRole::kClip:
      return published ? place_open_clip : place_transformers_clip;
  }
  return [](std::string_view name) { return Placement{.name = std::string(name)}; };
}

/// "3 other tensors are not used (loss.logvar, …)".
std::string tell_unused(const Checkpoint& checkpoint, const ModelNaming& naming) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> shown;
  std::size_t count = 0;
  for (const TensorEntry& entry : checkpoint.tensors()) {
    if (naming.place(entry.name)) continue;
    if (++count <= kShown) shown.push_back(printable(entry.name));
  }
  if (count == 0) return "";
  return fmt::format("{} other tensors are not used ({}{})", count, fmt::join(shown, ", "),
                     count > kShown ? ", …" : "");
}

std::string describe(const Checkpoint& checkpoint, ModelRole role, const ModelNaming& naming,
                     const std::vector<Candidate>& candidates) {
  std::vector<std::string> parts;
  const bool as_published = naming.prefix == published_prefix(role);
  if (!naming.program.empty()) parts.push_back(fmt::format("the names are those of {}", naming.program));
  if (!naming.prefix.empty() && !as_published) {
    parts.push_back(fmt::format("the names begin with '{}'", printable(naming.prefix)));
  }
  if (candidates.size() > 1) {
    parts.push_back(fmt::format("it is there once more, under {}, which is not used",
                                in_quotes({candidates.begin() + 1, candidates.end()})));
  } else if (is_average(naming.prefix)) {
    parts.emplace_back("these are averaged weights, the plain ones are not there");
  }
  if (!checkpoint.left_out().empty()) {
    parts.push_back(fmt::format("'{}' beside it is not used", printable(checkpoint.left_out().front())));
  }
  if (!as_published || role != ModelRole::kAutoencoder) {
    if (std::string unused = tell_unused(checkpoint, naming); !unused.empty()) parts.push_back(std::move(unused));
  }
  if (parts.empty()) return "";
  return fmt::format("{}, read as the {}: {}", printable(checkpoint.file_name()), label(role), fmt::join(parts, "; "));
}

/// What all names begin with, up to a dot; else the first name.
std::string describe_names(const Checkpoint& checkpoint) {
  if (checkpoint.tensors().empty()) return "it holds no tensors";
  const std::string& first = checkpoint.tensors().front().name;
  std::string_view common = first;
  for (const TensorEntry& entry : checkpoint.tensors()) {
    const auto [end, other] = std::ranges::mismatch(common, entry.name);
    common = common.substr(0, static_cast<std::size_t>(end - common.begin()));
  }
  common = common.substr(0, common.rfind('.') + 1);
  return common.empty() ? fmt::format("the first of its names is '{}'", printable(first))
                        : fmt::format("its names begin with '{}'", printable(common));
}

}  // namespace

std::string_view label(ModelRole role) noexcept {
  switch (role) {
    case ModelRole::kUNet:
      return "UNet";
    case ModelRole::kAutoencoder:
      return "autoencoder";
    case ModelRole::kClip:
      return "CLIP";
  }
  return "";
}

std::optional<Placement> ModelNaming::place(std::string_view name) const {
  const auto is_other = [&](const std::string& other) {
    return other.size() > prefix.size() && name.starts_with(other);
  };
  if (!name.starts_with(prefix) || std::ranges::any_of(other_prefixes, is_other)) return std::nullopt;
  const std::string_view rest = name.substr(prefix.size());
  Placement placement = translate(rest);
  return is_company(rest) || is_company(placement.name) ? std::nullopt : std::optional(std::move(placement));
}

std::optional<ModelNaming> find_naming(const Checkpoint& checkpoint, ModelRole role) {
  std::vector<Candidate> candidates = find_candidates(checkpoint, role);
  if (candidates.empty()) return std::nullopt;
  choose(candidates, checkpoint, role);
  ModelNaming naming;
  naming.prefix = candidates[0].prefix;
  naming.program = candidates[0].convention->program;
  naming.translate = translation(candidates[0], checkpoint);
  for (std::size_t i = 1; i < candidates.size(); ++i) naming.other_prefixes.push_back(candidates[i].prefix);
  const auto is_text = [&](const TensorEntry& entry) {
    const std::optional<Placement> placement = naming.place(entry.name);
    return placement && placement->name == "token_embedding.weight";
  };
  if (role == ModelRole::kClip && std::ranges::none_of(checkpoint.tensors(), is_text)) {
    throw checkpoint.file().refusal(
        "it holds the picture tower of CLIP and no text tower, which is needed too; choose the whole model");
  }
  naming.note = describe(checkpoint, role, naming, candidates);
  return naming;
}

ModelNaming require_naming(const Checkpoint& checkpoint, ModelRole role) {
  if (std::optional<ModelNaming> naming = find_naming(checkpoint, role)) return std::move(*naming);
  std::string sentence = describe_names(checkpoint);
  for (const ForeignModel& foreign : kForeignModels) {
    const auto is_it = [&](const TensorEntry& entry) {
      return prefix_before(entry.name, foreign.telling_name).has_value();
    };
    if (foreign.role == role && std::ranges::any_of(checkpoint.tensors(), is_it)) {
      sentence = foreign.sentence;
      break;
    }
  }
  const auto* const published = std::ranges::find(kConventions, role, &Convention::role);
  throw checkpoint.file().refusal(
      "this is not a checkpoint of the {}: it has no tensor '{}', and {}; choose the {}'s own file", label(role),
      published->telling_name, sentence, label(role));
}

}  // namespace unianimate::naming
