#include "unianimate/nn/recompute.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

namespace unianimate::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// A function held where the context of a backward pass can keep it.
struct HeldPart : torch::CustomClassHolder {
  explicit HeldPart(NetworkPart part) : run(std::move(part)) {}
  NetworkPart run;
};

class Recomputed : public torch::autograd::Function<Recomputed> {
 public:
  static at::Tensor forward(AutogradContext* context, const c10::intrusive_ptr<HeldPart>& part, at::TensorList inputs) {
    context->save_for_backward(inputs.vec());
    context->saved_data["part"] = c10::IValue::make_capsule(part);
    return part->run(inputs.vec());
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto part = c10::static_intrusive_pointer_cast<HeldPart>(context->saved_data["part"].toCapsule());
    std::vector<at::Tensor> inputs;
    for (const at::Tensor& saved : context->get_saved_variables()) {
      inputs.push_back(saved.detach().set_requires_grad(saved.requires_grad()));
    }
    {
      const c10::AutoGradMode with_gradients(true);
      part->run(inputs).backward(gradients[0]);
    }
    variable_list of_inputs{at::Tensor()};  // none for the part itself
    for (const at::Tensor& input : inputs) of_inputs.push_back(input.grad());
    return of_inputs;
  }
};

}  // namespace

at::Tensor recompute(NetworkPart part, const std::vector<at::Tensor>& inputs) {
  // Custom functions take no undefined tensors.
  std::vector<bool> given;
  std::vector<at::Tensor> defined;
  for (const at::Tensor& input : inputs) {
    given.push_back(input.defined());
    if (input.defined()) defined.push_back(input);
  }
  NetworkPart of_defined = [part = std::move(part), given = std::move(given)](const std::vector<at::Tensor>& some) {
    std::vector<at::Tensor> all;
    auto next = some.begin();
    for (const bool is_given : given) all.push_back(is_given ? *next++ : at::Tensor());
    return part(all);
  };
  return Recomputed::apply(c10::make_intrusive<HeldPart>(std::move(of_defined)), at::TensorList(defined));
}

}  // namespace unianimate::nn
