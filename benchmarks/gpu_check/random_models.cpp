#include "gpu_check/random_models.h"

#include <cmath>

#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::benchmarks {

namespace {

/// As far from zero as keeps activations of one size, as tests/support/rule.h has it.
at::Tensor random_weight(const std::string& name, at::IntArrayRef shape, at::Device device) {
  constexpr double kSmall = 0.1;
  at::Tensor u = at::empty(shape, at::TensorOptions(device).dtype(at::kFloat)).uniform_(-1, 1);
  if (name.ends_with("bias")) return u.mul_(kSmall);
  if (shape.size() >= 2) return u.mul_(std::sqrt(3.0 * static_cast<double>(shape[0]) / static_cast<double>(u.numel())));
  if (shape.size() == 1 && name.ends_with("weight")) return u.mul_(kSmall).add_(1);
  return u;
}

void write(const std::filesystem::path& path, const NamedTensors& shapes, at::Device device) {
  std::vector<checkpoint::TensorPlan> plans;
  for (const auto& [name, tensor] : shapes) plans.push_back({name, at::kHalf, tensor.sizes().vec()});
  checkpoint::SafetensorsWriter writer(path, plans);
  for (const auto& [name, tensor] : shapes) {
    writer.write(name, random_weight(name, tensor.sizes(), device).to(at::kHalf).cpu());
  }
  writer.finish();
}

}  // namespace

void write_random_models(const std::filesystem::path& folder, const family::ModelConfigs& configs, at::Device device) {
  const at::TensorOptions shapes_only(at::kMeta);
  const family::ModelFiles files = family::model_files_to_write(folder);
  write(files.unet, models::UNet(configs.unet, shapes_only).named_parameters(), device);
  write(files.autoencoder, models::Autoencoder(configs.autoencoder, shapes_only).named_parameters(), device);
  NamedTensors clip = models::ClipText(configs.clip, shapes_only).named_parameters();
  for (const auto& [name, tensor] : models::ClipVisual(configs.clip, shapes_only).named_parameters()) {
    clip.push_back({"visual." + name, tensor});
  }
  write(files.clip, clip, device);
  family::ModelDescription description;
  description.configs = configs;
  family::write_model_description(files.description, description);
}

}  // namespace unianimate::benchmarks
