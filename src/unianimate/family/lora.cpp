#include "unianimate/family/lora.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/weights_hash.h"
#include "unianimate/core/device.h"
#include "unianimate/core/error.h"
#include "unianimate/family/distillation.h"
#include "unianimate/naming/lora_names.h"

namespace unianimate::family {

namespace {

using checkpoint::TensorEntry;

/// The tensors that correct one weight.
struct Pair {
  const TensorEntry* down = nullptr;
  const TensorEntry* up = nullptr;
  const TensorEntry* alpha = nullptr;
  bool peft = false;  ///< spelled as PEFT does, which keeps alpha in another file

  [[nodiscard]] bool lacks_alpha() const { return peft && alpha == nullptr; }
};

const TensorEntry*& part_of(Pair& pair, naming::LoraPart part) {
  switch (part) {
    case naming::LoraPart::kDown:
      return pair.down;
    case naming::LoraPart::kUp:
      return pair.up;
    case naming::LoraPart::kAlpha:
      break;
  }
  return pair.alpha;
}

/// A file whose names and shapes fit the UNet.
class Lora {
 public:
  Lora(checkpoint::Checkpoint file, const LoraSettings& settings, const NamedTensors& unet)
      : checkpoint_(std::move(file)), settings_(settings) {
    if (!std::isfinite(settings_.scale)) {
      throw Error(ErrorKind::kUsage, "the scale of the LoRA {} should be a finite number, but is {}",
                  printable(checkpoint_.file_name()), settings_.scale);
    }
    std::map<std::string, const at::Tensor*> weights;
    for (const NamedTensor& parameter : unet) {
      if (takes_lora(parameter.name)) weights.emplace(parameter.name, &parameter.tensor);
    }
    std::vector<std::string> names;
    for (const auto& [name, weight] : weights) names.push_back(name);
    sort_tensors(naming::LayerNames(names));
    for (const auto& [name, pair] : pairs_) check_shapes(name, pair, *weights.at(name));
  }

  ~Lora() = default;
  Lora(Lora&&) = default;
  Lora& operator=(Lora&&) = default;
  Lora(const Lora&) = delete;  // its pairs point into its checkpoint
  Lora& operator=(const Lora&) = delete;

  [[nodiscard]] bool corrects(const std::string& weight) const { return pairs_.contains(weight); }

  /// Adds to `sum`, (out, in) in 32 bits.
  void add_to(at::Tensor& sum, const std::string& weight) const {
    const Pair& pair = pairs_.at(weight);
    const at::Tensor down = values(*pair.down);
    const auto rank = static_cast<double>(down.size(0));
    const double alpha = pair.alpha == nullptr ? rank : values(*pair.alpha).item<double>();
    const bool by_config = pair.alpha == nullptr && settings_.config;
    const double strength = by_config ? settings_.scale * settings_.config->scaling() : settings_.scale * alpha / rank;
    sum.addmm_(values(*pair.up).flatten(1).to(sum.device()), down.flatten(1).to(sum.device()), 1, strength);
  }

  /// Reads every value.
  void check_values() const {
    for (const TensorEntry& entry : checkpoint_.tensors()) static_cast<void>(values(entry));
  }

  [[nodiscard]] std::string description() const {
    std::set<std::int64_t> ranks;
    for (const auto& [name, pair] : pairs_) ranks.insert(pair.down->shape[0]);
    std::string text =
        fmt::format("LoRA {} corrects {} weights with rank {} at scale {}", printable(checkpoint_.file_name()),
                    pairs_.size(), fmt::join(ranks, ", "), settings_.scale);
    if (settings_.config) {
      text += fmt::format(", times {:.4g} by {} (alpha {:.4g})", settings_.config->scaling(), settings_.config->place,
                          settings_.config->alpha);
    } else if (std::ranges::any_of(pairs_, [](const auto& pair) { return pair.second.lacks_alpha(); })) {
      text +=
          "; it has no alpha, which PEFT keeps in another file, so alpha is taken to be the rank: where it is not, "
          "give FILE:SCALE with alpha / rank";
    }
    return text;
  }

  [[nodiscard]] const checkpoint::CheckpointFile& file() const { return checkpoint_.file(); }

 private:
  void sort_tensors(const naming::LayerNames& layers) {
    for (const TensorEntry& entry : checkpoint_.tensors()) {
      const std::optional<naming::LoraName> name = naming::parse_lora_name(entry.name);
      const std::optional<std::string> weight = name ? layers.find(*name) : std::nullopt;
      if (!weight) throw unknown(entry.name, name);
      Pair& pair = pairs_[*weight];
      pair.peft = pair.peft || name->peft;
      const TensorEntry*& part = part_of(pair, name->part);
      if (part != nullptr) {
        throw checkpoint_.file().refusal("the tensors '{}' and '{}' are the same part of a LoRA; remove one",
                                         printable(part->name), printable(entry.name));
      }
      part = &entry;
    }
    if (pairs_.empty()) throw checkpoint_.file().refusal("it holds no tensors; choose a LoRA file");
  }

  /// About a tensor that corrects nothing here.
  [[nodiscard]] Error unknown(const std::string& tensor, const std::optional<naming::LoraName>& name) const {
    if (const std::string_view kind = naming::foreign_correction(tensor); !kind.empty()) {
      return checkpoint_.file().refusal("its tensor '{}' belongs to {}, which is not supported; choose a plain LoRA",
                                        printable(tensor), kind);
    }
    if (!name) {
      return checkpoint_.file().refusal(
          "the tensor '{}' is no part of a LoRA, whose names end with lora_down.weight, lora_up.weight (or "
          "lora_A.weight, lora_B.weight) and alpha; choose a LoRA file",
          printable(tensor));
    }
    return checkpoint_.file().refusal(
        "it corrects '{}' (by its tensor '{}'), which is no attention, feed-forward or projection matrix of this UNet; "
        "choose a LoRA made for this model",
        printable(name->layer), printable(tensor));
  }

  void check_shapes(const std::string& name, const Pair& pair, const at::Tensor& weight) const {
    if (pair.down == nullptr || pair.up == nullptr) {
      throw checkpoint_.file().refusal("the correction of '{}' lacks its {} part; fetch the file again",
                                       printable(name), pair.down == nullptr ? "lora_down" : "lora_up");
    }
    const std::int64_t out = weight.size(0);
    const std::int64_t in = weight.numel() / out;
    const std::int64_t rank = pair.down->shape.empty() ? 0 : pair.down->shape[0];
    if (rank < 1 || rank > std::max(in, out)) {
      throw checkpoint_.file().refusal("the rank of '{}', its first size, should be from 1 to {}, but is {}",
                                       printable(pair.down->name), std::max(in, out), rank);
    }
    if (settings_.config && pair.alpha == nullptr && rank != settings_.config->rank) {
      throw checkpoint_.file().refusal("'{}' has the rank {}, but {} says {}", printable(pair.down->name), rank,
                                       settings_.config->place, settings_.config->rank);
    }
    require_matrix(*pair.down, rank, in);
    require_matrix(*pair.up, out, rank);
    if (pair.alpha != nullptr && pair.alpha->elements() != 1) {
      throw checkpoint_.file().refusal("'{}' should be one number, but has the shape [{}]", printable(pair.alpha->name),
                                       fmt::join(pair.alpha->shape, ", "));
    }
    for (const TensorEntry* entry : {pair.down, pair.up, pair.alpha}) {
      if (entry != nullptr && !at::isFloatingType(checkpoint::scalar_type(entry->type))) {
        throw checkpoint_.file().refusal("'{}' holds {} values, where floating-point ones are expected",
                                         printable(entry->name), dtype_name(checkpoint::scalar_type(entry->type)));
      }
    }
  }

  /// A kernel of width one may be written with its axes.
  void require_matrix(const TensorEntry& entry, std::int64_t rows, std::int64_t columns) const {
    const checkpoint::Shape& shape = entry.shape;
    const bool fits = shape.size() >= 2 && shape[0] == rows && shape[1] == columns &&
                      std::all_of(shape.begin() + 2, shape.end(), [](std::int64_t size) { return size == 1; });
    if (fits) return;
    throw checkpoint_.file().refusal("'{}' should have the shape [{}, {}] for this model, but has [{}]",
                                     printable(entry.name), rows, columns, fmt::join(shape, ", "));
  }

  [[nodiscard]] at::Tensor values(const TensorEntry& entry) const {
    const at::Tensor tensor = checkpoint::materialize(checkpoint_, entry);
    const std::optional<checkpoint::NonFinite> found =
        settings_.allow_nonfinite ? std::nullopt : checkpoint::find_nonfinite(checkpoint_, entry, at::kFloat);
    if (found) {
      throw checkpoint_.file().refusal("{}, so it cannot be used; fetch it again, or use it with --allow-nonfinite",
                                       found->sentence());
    }
    return tensor.to(at::kFloat);
  }

  checkpoint::Checkpoint checkpoint_;
  LoraSettings settings_;
  std::map<std::string, Pair> pairs_;  ///< by the name of the weight
};

std::vector<Lora> open_loras(const std::vector<LoraFile>& files, const NamedTensors& unet, bool allow_nonfinite) {
  std::vector<Lora> loras;
  loras.reserve(files.size());
  for (const auto& [path, scale] : files) {
    checkpoint::Checkpoint file = checkpoint::open_checkpoint(path);
    const LoraSettings settings{scale, find_adapter_config(file.metadata(), path), allow_nonfinite};
    loras.emplace_back(std::move(file), settings, unet);
  }
  return loras;
}

/// checkpoint::weights_hash(), which reads gigabytes, once for a file that stays as it is: it is asked for before every
/// video and its plans.
std::string kept_weights_hash(const std::filesystem::path& model) {
  struct Known {
    std::uintmax_t bytes = 0;
    std::filesystem::file_time_type changed;
    std::string hash;
  };
  static std::mutex mutex;
  static std::map<std::filesystem::path, Known> all;
  const std::lock_guard lock(mutex);
  std::error_code unknown;
  const std::uintmax_t bytes = std::filesystem::file_size(model, unknown);
  const auto changed = std::filesystem::last_write_time(model, unknown);
  Known& known = all[model];
  if (known.hash.empty() || known.bytes != bytes || known.changed != changed) {
    known = {bytes, changed, checkpoint::weights_hash(checkpoint::open_checkpoint(model))};
  }
  return known.hash;
}

}  // namespace

bool takes_lora(std::string_view parameter_name) {
  constexpr std::array<std::string_view, 2> kProjections{".proj_in.weight", ".proj_out.weight"};
  constexpr std::array<std::string_view, 10> kMatrices{
      ".to_q.weight",           ".to_k.weight",          ".to_v.weight",          ".to_out.0.weight",
      ".net.0.proj.weight",     ".net.2.weight",         ".mamba.in_proj.weight", ".mamba.x_proj.weight",
      ".mamba.x_proj_b.weight", ".mamba.out_proj.weight"};
  const auto is_end = [&](std::string_view suffix) { return parameter_name.ends_with(suffix); };
  return std::ranges::any_of(kProjections, is_end) ||
         (parameter_name.find(".transformer_blocks.") != std::string_view::npos &&
          std::ranges::any_of(kMatrices, is_end));
}

std::string check_lora(checkpoint::Checkpoint file, const LoraSettings& settings, const NamedTensors& unet) {
  const Lora lora(std::move(file), settings, unet);
  lora.check_values();
  return lora.description();
}

std::vector<std::string> check_loras(const std::vector<LoraFile>& files, const NamedTensors& unet,
                                     bool allow_nonfinite) {
  std::vector<std::string> descriptions;
  for (const Lora& lora : open_loras(files, unet, allow_nonfinite)) {
    lora.check_values();
    descriptions.push_back(lora.description());
  }
  return descriptions;
}

void require_base(const std::vector<LoraFile>& files, const std::filesystem::path& model) {
  std::string base;
  for (const LoraFile& file : files) {
    const checkpoint::Checkpoint opened = checkpoint::open_checkpoint(file.path);
    const std::optional<Distillation> distillation = read_distillation(opened, file.path);
    if (!distillation || distillation->base.empty()) continue;
    if (base.empty()) base = kept_weights_hash(model);
    if (distillation->base == base) continue;
    throw opened.file().refusal(
        "this LoRA was distilled from the weights {}, but {} holds {}; use the model that it was distilled from, or a "
        "copy of it by 'unianimate models convert'",
        printable(distillation->base), printable(model.string()), base);
  }
}

void add_loras(const std::vector<LoraFile>& files, const NamedTensors& unet, bool allow_nonfinite,
               const Progress& progress) {
  const at::NoGradGuard no_grad;
  const std::vector<Lora> loras = open_loras(files, unet, allow_nonfinite);
  for (const NamedTensor& weight : unet) {
    const Lora* last = nullptr;
    at::Tensor sum;
    for (const Lora& lora : loras) {
      if (!lora.corrects(weight.name)) continue;
      progress.throw_if_cancelled();
      if (last == nullptr) sum = weight.tensor.flatten(1).to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
      lora.add_to(sum, weight.name);
      last = &lora;
    }
    if (last == nullptr) continue;
    weight.tensor.copy_(sum.view(weight.tensor.sizes()));
    if (!allow_nonfinite && !at::isfinite(weight.tensor).all().item<bool>()) {
      throw last->file().refusal("it takes '{}' beyond what {} can hold; use a smaller scale", printable(weight.name),
                                 dtype_name(weight.tensor.scalar_type()));
    }
  }
}

}  // namespace unianimate::family
