#include "unianimate/pipeline/lora.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/core/device.h"
#include "unianimate/core/error.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::pipeline {

namespace {

using checkpoint::TensorEntry;

constexpr std::string_view kWeight = ".weight";
constexpr std::string_view kPeftPrefix = "base_model.model.";

/// The tensors that correct one weight.
struct Pair {
  const TensorEntry* down = nullptr;
  const TensorEntry* up = nullptr;
  const TensorEntry* alpha = nullptr;
};

struct Suffix {
  std::string_view text;
  const TensorEntry* Pair::*part;
};

constexpr std::array<Suffix, 5> kSuffixes{{
    {".lora_down.weight", &Pair::down},
    {".lora_A.weight", &Pair::down},
    {".lora_up.weight", &Pair::up},
    {".lora_B.weight", &Pair::up},
    {".alpha", &Pair::alpha},
}};

/// A file whose names and shapes fit the UNet.
class Lora {
 public:
  Lora(const LoraFile& file, const NamedTensors& unet)
      : checkpoint_(checkpoint::open_checkpoint(file.path)), scale_(file.scale) {
    if (!std::isfinite(scale_)) {
      throw Error(ErrorKind::kUsage, "the scale of the LoRA {} should be a finite number, but is {}",
                  printable(file.path.string()), scale_);
    }
    sort_tensors();
    std::unordered_map<std::string_view, const at::Tensor*> weights;
    for (const NamedTensor& parameter : unet) {
      if (takes_lora(parameter.name)) weights.emplace(parameter.name, &parameter.tensor);
    }
    for (const auto& [name, pair] : pairs_) {
      const auto weight = weights.find(name);
      if (weight == weights.end()) {
        throw checkpoint_.file().refusal(
            "it corrects '{}', which is no attention, feed-forward or projection matrix of this UNet; choose a LoRA "
            "made for this model",
            printable(name));
      }
      check_shapes(name, pair, *weight->second);
    }
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
    const double rank = static_cast<double>(down.size(0));
    const double alpha = pair.alpha == nullptr ? rank : values(*pair.alpha).item<double>();
    sum.addmm_(values(*pair.up).flatten(1).to(sum.device()), down.flatten(1).to(sum.device()), 1,
               scale_ * alpha / rank);
  }

  /// Reads every value.
  void check_values() const {
    for (const TensorEntry& entry : checkpoint_.tensors()) static_cast<void>(values(entry));
  }

  [[nodiscard]] std::string description() const {
    std::set<std::int64_t> ranks;
    for (const auto& [name, pair] : pairs_) ranks.insert(pair.down->shape[0]);
    return fmt::format("LoRA {} corrects {} weights with rank {} at scale {}", printable(checkpoint_.file_name()),
                       pairs_.size(), fmt::join(ranks, ", "), scale_);
  }

  [[nodiscard]] const checkpoint::MappedFile& file() const { return checkpoint_.file(); }

 private:
  void sort_tensors() {
    for (const TensorEntry& entry : checkpoint_.tensors()) {
      const auto* const suffix = std::ranges::find_if(
          kSuffixes, [&](const Suffix& candidate) { return entry.name.ends_with(candidate.text); });
      if (suffix == kSuffixes.end()) {
        throw checkpoint_.file().refusal(
            "the tensor '{}' is no part of a LoRA, whose names end with lora_down.weight, lora_up.weight (or "
            "lora_A.weight, lora_B.weight) and alpha; choose a LoRA file",
            printable(entry.name));
      }
      std::string name = entry.name.substr(0, entry.name.size() - suffix->text.size()).append(kWeight);
      if (name.starts_with(kPeftPrefix)) name.erase(0, kPeftPrefix.size());
      const TensorEntry*& part = pairs_[name].*suffix->part;
      if (part != nullptr) {
        throw checkpoint_.file().refusal("the tensors '{}' and '{}' are the same part of a LoRA; remove one",
                                         printable(part->name), printable(entry.name));
      }
      part = &entry;
    }
    if (pairs_.empty()) throw checkpoint_.file().refusal("it holds no tensors; choose a LoRA file");
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
    at::Tensor tensor = checkpoint::materialize(checkpoint_, entry).to(at::kFloat);
    if (!at::isfinite(tensor).all().item<bool>()) {
      throw checkpoint_.file().refusal("'{}' holds values that are not finite, so it cannot be used",
                                       printable(entry.name));
    }
    return tensor;
  }

  checkpoint::Checkpoint checkpoint_;
  double scale_;
  std::map<std::string, Pair> pairs_;  ///< by the name of the weight
};

std::vector<Lora> open_loras(const std::vector<LoraFile>& files, const NamedTensors& unet) {
  std::vector<Lora> loras;
  loras.reserve(files.size());
  for (const LoraFile& file : files) loras.emplace_back(file, unet);
  return loras;
}

}  // namespace

bool takes_lora(std::string_view parameter_name) {
  constexpr std::array<std::string_view, 2> kProjections{".proj_in.weight", ".proj_out.weight"};
  constexpr std::array<std::string_view, 6> kMatrices{".to_q.weight",     ".to_k.weight",       ".to_v.weight",
                                                      ".to_out.0.weight", ".net.0.proj.weight", ".net.2.weight"};
  const auto is_end = [&](std::string_view suffix) { return parameter_name.ends_with(suffix); };
  return std::ranges::any_of(kProjections, is_end) ||
         (parameter_name.find(".transformer_blocks.") != std::string_view::npos &&
          std::ranges::any_of(kMatrices, is_end));
}

std::vector<std::string> check_loras(const std::vector<LoraFile>& files, const models::UNetConfig& unet) {
  std::vector<std::string> descriptions;
  if (files.empty()) return descriptions;
  const models::UNet shapes(unet, at::TensorOptions(at::kMeta));
  for (const Lora& lora : open_loras(files, shapes.named_parameters())) {
    lora.check_values();
    descriptions.push_back(lora.description());
  }
  return descriptions;
}

void add_loras(const std::vector<LoraFile>& files, const NamedTensors& unet, const Progress& progress) {
  const at::NoGradGuard no_grad;
  const std::vector<Lora> loras = open_loras(files, unet);
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
    if (!at::isfinite(weight.tensor).all().item<bool>()) {
      throw last->file().refusal("it takes '{}' beyond what {} can hold; use a smaller scale", printable(weight.name),
                                 dtype_name(weight.tensor.scalar_type()));
    }
  }
}

}  // namespace unianimate::pipeline
