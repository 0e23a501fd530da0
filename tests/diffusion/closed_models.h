// Models in closed form, of which golden files and tests know what sampling gives.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <string>

#include "unianimate/diffusion/noise_schedule.h"

namespace unianimate::testing {

constexpr std::int64_t kLatentSides[] = {1, 4, 3, 4, 4};

/// An input of the golden files in double: "sampler_start", "sampler_noise.0".
at::Tensor sampler_input(const std::string& name);

using ClosedModel = std::function<at::Tensor(const at::Tensor& x, std::int64_t timestep)>;

/// "gauss": data of one normal distribution for each value; "mix": of two; "mlp": a small network. v in double.
ClosedModel closed_model(const std::string& name);

/// Where the probability-flow equation of "gauss" leads x from one level to another.
at::Tensor gauss_solution(const at::Tensor& x, const diffusion::Level& from, const diffusion::Level& to);

}  // namespace unianimate::testing
