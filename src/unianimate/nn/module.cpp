#include "unianimate/nn/module.h"

#include <utility>

namespace unianimate::nn {

NamedTensors Module::named_parameters() const {
  NamedTensors all;
  collect("", all);
  return all;
}

at::Tensor Module::register_parameter(std::string name, at::IntArrayRef shape, const at::TensorOptions& options) {
  parameters_.push_back({std::move(name), at::empty(shape, options)});
  return parameters_.back().tensor;
}

void Module::register_child(std::string name, const Module& child) {
  children_.push_back({std::move(name), &child});
}

void Module::collect(const std::string& prefix, NamedTensors& into) const {
  for (const NamedTensor& parameter : parameters_) into.push_back({prefix + parameter.name, parameter.tensor});
  for (const Child& child : children_) child.module->collect(prefix + child.name + ".", into);
}

}  // namespace unianimate::nn
