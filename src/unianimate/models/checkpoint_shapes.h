// What a model's sizes are worked out from: the shapes of a checkpoint's tensors, by name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unianimate::models {

using Shapes = std::map<std::string, std::vector<std::int64_t>, std::less<>>;

/// Axis `axis` of tensor `name`. Throws Error(kInput) naming `model` and `name` where the tensor is absent or has
/// too few axes: the file is then not a checkpoint of that model.
std::int64_t size_of(const Shapes& shapes, std::string_view model, std::string_view name, std::size_t axis);

/// How many consecutive i = 0, 1, … have a tensor whose name starts with `prefix` + i + ".".
std::int64_t count_blocks(const Shapes& shapes, std::string_view prefix);

/// Throws Error(kInput) unless `value` (a size or a ratio of sizes) is at least 1.
std::int64_t require_positive(std::int64_t value, std::string_view model, std::string_view what);

}  // namespace unianimate::models
