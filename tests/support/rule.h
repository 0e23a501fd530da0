// Weights, inputs and pictures made by a rule from their names, so that golden numbers need no files beside them.
//
// rand(seed) is the uniform [0, 1) sequence of PyTorch's CPU generator, crc the CRC-32 of a name.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "unianimate/core/named_tensor.h"

namespace unianimate::testing {

/// u = 2·rand(crc(key)) − 1, scaled by what the key and the shape say it is: 0.1·u for a bias, √(3/fan-in)·u with two
/// axes or more, 1 + 0.1·u for a one-axis weight, else u.
at::Tensor rule_weight(const std::string& key, at::IntArrayRef shape);

/// rand(crc(name))·(high − low) + low; the default range has unit variance.
at::Tensor rule_input(const std::string& name, at::IntArrayRef shape, double low = -1.7320508, double high = 1.7320508);

/// floor(rule_input(name, (height, width, 3), 0, 1) · 255.999) as uint8 (height, width, 3).
at::Tensor rule_picture(const std::string& name, std::int64_t height, std::int64_t width);

/// Fills every tensor with rule_weight(prefix + name).
void fill_by_rule(const NamedTensors& tensors, const std::string& prefix = "");

}  // namespace unianimate::testing
