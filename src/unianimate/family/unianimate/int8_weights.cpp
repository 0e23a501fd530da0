#include "unianimate/family/unianimate/int8_weights.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <optional>
#include <set>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/core/device.h"
#include "unianimate/core/error.h"
#include "unianimate/models/int8_candidates.h"

namespace unianimate::family {

namespace {

using checkpoint::ElementType;
using checkpoint::TensorEntry;

bool is_int8_weight(const TensorEntry& entry) {
  return entry.type == ElementType::kInt8 && entry.shape.size() >= 2 && entry.name.ends_with(kWeightSuffix);
}

at::Tensor read_scales(const checkpoint::Checkpoint& file, const TensorEntry& weight) {
  const std::string stem = weight.name.substr(0, weight.name.size() - kWeightSuffix.size());
  const TensorEntry* const entry = file.find(stem + std::string(kScaleSuffix));
  if (entry == nullptr) {
    throw file.file().refusal(
        "'{}' holds whole numbers without scales, expected them in '{}{}'; convert the model anew",
        printable(weight.name), printable(stem), kScaleSuffix);
  }
  if (entry->type != ElementType::kFloat32 || entry->shape != checkpoint::Shape{weight.shape[0]}) {
    throw file.file().refusal(
        "'{}' must hold {} numbers of 32 bits, one for each row of the weight; convert the model anew",
        printable(entry->name), weight.shape[0]);
  }
  at::Tensor scales = checkpoint::materialize(file, *entry);
  if (!scales.isfinite().logical_and(scales > 0).all().item<bool>()) {
    throw file.file().refusal("'{}' holds a scale that is not finite and above 0; convert the model anew",
                              printable(entry->name));
  }
  return scales;
}

}  // namespace

std::int64_t count_int8_weights(const checkpoint::Checkpoint& file) {
  std::int64_t elements = 0;
  for (const TensorEntry& entry : file.tensors()) {
    if (is_int8_weight(entry)) elements += entry.elements();
  }
  return elements;
}

Int8Scales read_int8_scales(const checkpoint::Checkpoint& file, const naming::ModelNaming& naming) {
  Int8Scales scales;
  for (const TensorEntry& entry : file.tensors()) {
    const std::optional<checkpoint::Placement> place = naming.place(entry.name);
    if (!place) continue;
    if (is_int8_weight(entry)) {
      const std::string layer = place->name.substr(0, place->name.size() - kWeightSuffix.size());
      if (place->parts != 1 || place->transposed || !place->name.ends_with(kWeightSuffix)) {
        throw file.file().refusal("'{}' holds whole numbers under a name of another program; convert the model anew",
                                  printable(entry.name));
      }
      scales[layer] = read_scales(file, entry);
    } else if (entry.name.ends_with(kScaleSuffix)) {
      const std::string weight = entry.name.substr(0, entry.name.size() - kScaleSuffix.size() + kWeightSuffix.size());
      const TensorEntry* const scaled = file.find(weight);
      if (scaled != nullptr && is_int8_weight(*scaled)) continue;
      throw file.file().refusal("'{}' holds scales, but '{}' no whole numbers; convert the model anew",
                                printable(entry.name), printable(weight));
    }
  }
  return scales;
}

void apply_int8_scales(const models::UNet& unet, const Int8Scales& scales, bool int8) {
  if (scales.empty()) return;
  const at::NoGradGuard no_grad;
  std::set<std::string> candidates;
  for (const nn::NamedProduct& layer : models::int8_candidates(unet)) candidates.insert(layer.name);
  for (const nn::NamedProduct& layer : unet.named_products()) {
    const auto found = scales.find(layer.name);
    if (found == scales.end()) continue;
    const at::Tensor& weight = layer.product->weight();
    const nn::Int8Weight numbers{weight.to(at::kCPU, at::kChar), found->second};
    if (int8 && candidates.contains(layer.name)) {
      layer.product->use_int8(numbers);
    } else {
      weight.copy_(nn::dequantize(numbers));
      if (weight.isfinite().all().item<bool>()) continue;
      throw Error(ErrorKind::kInput, "'{}{}' takes weights in 8 bits beyond what {} can hold; use another --dtype",
                  printable(layer.name), kScaleSuffix, dtype_name(weight.scalar_type()));
    }
  }
}

}  // namespace unianimate::family
