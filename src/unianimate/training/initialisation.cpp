#include "unianimate/training/initialisation.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <unordered_map>

#include "unianimate/core/random.h"

namespace unianimate::training {

namespace {

constexpr std::string_view kWeight = ".weight";
constexpr std::string_view kBias = ".bias";

void fill_uniform(const at::Tensor& tensor, double bound, const at::Generator& generator) {
  tensor.copy_(at::empty(tensor.sizes(), at::kFloat).uniform_(-bound, bound, generator));
}

void fill_normal(const at::Tensor& tensor, double deviation, const at::Generator& generator) {
  tensor.copy_(at::empty(tensor.sizes(), at::kFloat).normal_(0.0, deviation, generator));
}

double fan_in(const at::Tensor& weight) {
  return static_cast<double>(weight.numel()) / static_cast<double>(weight.size(0));
}

/// Whether the name is `part` itself or ends in ".part".
bool is_or_ends_with(std::string_view name, std::string_view part) {
  return name.ends_with(part) && (name.size() == part.size() || name[name.size() - part.size() - 1] == '.');
}

/// Whether a name is that of a tensor of a Mamba, whatever its direction.
bool is_of_mamba(std::string_view name) {
  return name.find(".mamba.") != std::string_view::npos;
}

/// Where Mamba (Gu and Dao, arXiv 2312.00752) begins otherwise than PyTorch's layers: the states decay at rates of 1 to
/// N, and the steps are between a thousandth and a tenth, evenly in their logarithm. D is one as it is.
void initialise_mamba(const NamedTensors& parameters, std::uint64_t seed) {
  constexpr double kShortestStep = 0.001;
  constexpr double kLongestStep = 0.1;
  const c10::NoGradGuard no_gradients;
  const at::Generator generator = make_generator(seed);
  for (const auto& [name, tensor] : parameters) {
    if (!is_of_mamba(name)) continue;
    if (is_or_ends_with(name, "A_log") || is_or_ends_with(name, "A_b_log")) {
      tensor.copy_(at::arange(1, tensor.size(1) + 1, at::TensorOptions(at::kDouble)).log().expand(tensor.sizes()));
    } else if (is_or_ends_with(name, "dt_proj.bias") || is_or_ends_with(name, "dt_proj_b.bias")) {
      const at::Tensor exponents =
          at::empty(tensor.sizes(), at::kDouble).uniform_(std::log(kShortestStep), std::log(kLongestStep), generator);
      const at::Tensor steps = exponents.exp();
      tensor.copy_(steps + (-at::expm1(-steps)).log());  // what softplus makes of it are these
    }
  }
}

}  // namespace

void initialise(const NamedTensors& parameters, std::uint64_t seed) {
  const c10::NoGradGuard no_gradients;
  const at::Generator generator = make_generator(seed);
  std::unordered_map<std::string_view, at::Tensor> by_name;
  for (const NamedTensor& parameter : parameters) by_name.emplace(parameter.name, parameter.tensor);
  for (const auto& [name, tensor] : parameters) {
    const std::string_view text = name;
    if (text.ends_with(kBias)) {
      const std::string weight_name = std::string(text.substr(0, text.size() - kBias.size())) + std::string(kWeight);
      const at::Tensor& weight = by_name.at(weight_name);
      if (weight.dim() == 1) {
        tensor.zero_();
      } else {
        fill_uniform(tensor, 1 / std::sqrt(fan_in(weight)), generator);
      }
    } else if (tensor.dim() == 1) {
      tensor.fill_(1);
    } else if (tensor.dim() > 1) {
      fill_uniform(tensor, 1 / std::sqrt(fan_in(tensor)), generator);
    } else {
      tensor.zero_();
    }
  }
}

void initialise_unet(const NamedTensors& parameters, std::uint64_t seed) {
  constexpr std::array kZeroLayers{"out_layers.3", "proj_out", "conv4.3"};
  initialise(parameters, seed);
  initialise_mamba(parameters, seed + 1);
  const c10::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : parameters) {
    const std::string layer = name.substr(0, name.rfind('.'));
    const bool zero = name == "out.2.weight" ||
                      std::ranges::any_of(kZeroLayers, [&](const char* last) { return is_or_ends_with(layer, last); });
    if (zero) tensor.zero_();
  }
}

void put_mamba_in_place_of_attention(const NamedTensors& parameters, const NamedTensors& transformer,
                                     std::uint64_t seed) {
  NamedTensors fresh;
  {
    const c10::NoGradGuard no_gradients;
    std::unordered_map<std::string_view, at::Tensor> known;
    for (const NamedTensor& parameter : transformer) known.emplace(parameter.name, parameter.tensor);
    for (const NamedTensor& parameter : parameters) {
      if (is_of_mamba(parameter.name)) {
        fresh.push_back(parameter);
      } else {
        parameter.tensor.copy_(known.at(parameter.name));
      }
    }
  }
  initialise(fresh, seed);
  initialise_mamba(fresh, seed + 1);
  const c10::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : fresh) {
    if (is_or_ends_with(name, "out_proj.weight")) tensor.zero_();
  }
}

void initialise_clip(const NamedTensors& parameters, std::uint64_t seed) {
  constexpr double kTokenDeviation = 0.02;
  constexpr double kPositionDeviation = 0.01;
  constexpr double kLogitScale = 2.6592600369;  // ln(1/0.07)
  NamedTensors usual;
  NamedTensors own;
  for (const NamedTensor& parameter : parameters) {
    const std::string& name = parameter.name;
    const bool is_own = !name.ends_with(kWeight) && !name.ends_with(kBias);
    (is_own || is_or_ends_with(name, "token_embedding.weight") ? own : usual).push_back(parameter);
  }
  initialise(usual, seed);
  const c10::NoGradGuard no_gradients;
  const at::Generator generator = make_generator(seed + 1);
  for (const auto& [name, tensor] : own) {
    if (name.ends_with("in_proj_bias")) {
      tensor.zero_();
    } else if (name.ends_with("in_proj_weight")) {
      const auto width = static_cast<double>(tensor.size(1));
      fill_uniform(tensor, std::sqrt(6 / (4 * width)), generator);  // Glorot and Bengio 2010
    } else if (name.ends_with("logit_scale")) {
      tensor.fill_(kLogitScale);
    } else if (name.ends_with("token_embedding.weight")) {
      fill_normal(tensor, kTokenDeviation, generator);
    } else if (name == "positional_embedding") {
      fill_normal(tensor, kPositionDeviation, generator);
    } else {
      // class_embedding, the visual positional_embedding, proj, text_projection
      const auto width = static_cast<double>(
          name.ends_with("positional_embedding") || tensor.dim() == 1 ? tensor.size(-1) : tensor.size(0));
      fill_normal(tensor, 1 / std::sqrt(width), generator);
    }
  }
}

}  // namespace unianimate::training
