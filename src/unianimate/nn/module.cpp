#include "unianimate/nn/module.h"

#include <utility>

namespace unianimate::nn {

NamedTensors Module::named_parameters() const {
  NamedTensors all;
  collect("", all);
  return all;
}

std::vector<NamedProduct> Module::named_products() const {
  std::vector<NamedProduct> all;
  collect_products("", all);
  return all;
}

at::Tensor Module::register_parameter(std::string name, at::IntArrayRef shape, const at::TensorOptions& options) {
  parameters_.push_back({std::move(name), at::empty(shape, options)});
  return parameters_.back().tensor;
}

std::shared_ptr<Product> Module::register_product(std::shared_ptr<Product> product) {
  product_ = std::move(product);
  return product_;
}

void Module::register_child(std::string name, const Module& child) {
  children_.push_back({std::move(name), &child});
}

void Module::collect(const std::string& prefix, NamedTensors& into) const {
  for (const NamedTensor& parameter : parameters_) into.push_back({prefix + parameter.name, parameter.tensor});
  for (const Child& child : children_) child.module->collect(prefix + child.name + ".", into);
}

void Module::collect_products(const std::string& name, std::vector<NamedProduct>& into) const {
  if (product_) into.push_back({name, product_});
  for (const Child& child : children_) {
    child.module->collect_products(name.empty() ? child.name : name + "." + child.name, into);
  }
}

}  // namespace unianimate::nn
