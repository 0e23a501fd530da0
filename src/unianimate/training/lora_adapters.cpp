#include "unianimate/training/lora_adapters.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "unianimate/core/random.h"
#include "unianimate/family/lora.h"
#include "unianimate/fields/range_check.h"
#include "unianimate/training/train_fields.h"

namespace unianimate::training {

void LoraOptions::check() const {
  fields::check_ranges(*this, "lora.");
}

LoraAdapters::LoraAdapters(const NamedTensors& unet, const LoraOptions& options, std::uint64_t seed) {
  const at::Generator generator = make_generator(seed);
  const std::string suffix = ".weight";
  for (const auto& [name, weight] : unet) {
    if (!family::takes_lora(name)) continue;
    Adapter adapter;
    adapter.name = name.substr(0, name.size() - suffix.size());
    adapter.weight = weight;
    adapter.base = weight.detach().clone();
    const std::int64_t out = weight.size(0);
    const std::int64_t in = weight.size(1);
    const std::int64_t rank = std::min({options.rank, in, out});
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    adapter.down = at::empty({rank, in}, at::kFloat).uniform_(-bound, bound, generator).to(weight.device());
    adapter.up = at::zeros({out, rank}, weight.options().dtype(at::kFloat));
    adapter.alpha = options.alpha > 0 ? options.alpha : static_cast<double>(rank);
    adapter.scale = adapter.alpha / static_cast<double>(rank);
    weight.set_requires_grad(true);
    adapters_.push_back(std::move(adapter));
  }
}

NamedTensors LoraAdapters::parameters() const {
  NamedTensors all;
  for (const Adapter& adapter : adapters_) {
    all.push_back({adapter.name + ".lora_down.weight", adapter.down});
    all.push_back({adapter.name + ".lora_up.weight", adapter.up});
  }
  return all;
}

NamedTensors LoraAdapters::file_content() const {
  NamedTensors all = parameters();
  for (const Adapter& adapter : adapters_) {
    all.push_back({adapter.name + ".alpha", at::full({}, adapter.alpha, at::kFloat)});
  }
  return all;
}

void LoraAdapters::collect_gradients() const {
  const c10::NoGradGuard no_gradients;
  for (const Adapter& adapter : adapters_) {
    if (!adapter.weight.grad().defined()) continue;
    const at::Tensor gradient = adapter.weight.grad().to(at::kFloat).flatten(1);
    adapter.up.mutable_grad() = adapter.scale * at::mm(gradient, adapter.down.t());
    adapter.down.mutable_grad() = adapter.scale * at::mm(adapter.up.t(), gradient);
    adapter.weight.mutable_grad().reset();
  }
}

void LoraAdapters::apply() const {
  const c10::NoGradGuard no_gradients;
  for (const Adapter& adapter : adapters_) {
    const at::Tensor correction = adapter.scale * at::mm(adapter.up, adapter.down);
    adapter.weight.copy_(adapter.base.to(at::kFloat) + correction.view(adapter.base.sizes()));
  }
}

void LoraAdapters::withdraw() const {
  const c10::NoGradGuard no_gradients;
  for (const Adapter& adapter : adapters_) adapter.weight.copy_(adapter.base);
}

}  // namespace unianimate::training
