// The base of every layer and model: tensors under the names they have in the published checkpoints.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "unianimate/core/named_tensor.h"

namespace unianimate::nn {

class Product;

struct NamedProduct {
  std::string name;  ///< of the layer: that of its weight without ".weight"
  std::shared_ptr<Product> product;
};

/// Owns parameters and knows its children (members of the derived class, so a module neither moves nor copies).
/// Parameters are uninitialised until somebody fills named_parameters().
class Module {
 public:
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// All parameters of this module and its children in registration order, names joined by dots, each sharing
  /// storage with the module's own tensor.
  [[nodiscard]] NamedTensors named_parameters() const;

  /// The products of all linear layers and convolutions of this module and its children, in registration order.
  [[nodiscard]] std::vector<NamedProduct> named_products() const;

 protected:
  Module() = default;
  ~Module() = default;

  /// Makes a parameter and remembers it under `name`.
  at::Tensor register_parameter(std::string name, at::IntArrayRef shape, const at::TensorOptions& options);
  /// Remembers the product of a layer that is one.
  std::shared_ptr<Product> register_product(std::shared_ptr<Product> product);
  /// Remembers `child`, whose parameters are then named `name`.`theirs`; `name` may hold dots itself.
  void register_child(std::string name, const Module& child);

 private:
  struct Child {
    std::string name;
    const Module* module;
  };
  void collect(const std::string& prefix, NamedTensors& into) const;
  void collect_products(const std::string& name, std::vector<NamedProduct>& into) const;

  NamedTensors parameters_;
  std::vector<Child> children_;
  std::shared_ptr<Product> product_;
};

}  // namespace unianimate::nn
