#include "unianimate/pose/detect/network.h"

#include <fmt/ranges.h>

#include <unistd.h>

#include <openvino/openvino.hpp>
#include <system_error>

#include "unianimate/core/error.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(const fs::path& file, std::string_view reason) {
  throw Error(ErrorKind::kInput, "the network {} cannot be used: {}; fetch the file again", printable(file.string()),
              reason);
}

ov::Core& core() {
  static ov::Core instance;
  return instance;
}

std::shared_ptr<ov::Model> read(const fs::path& file) {
  std::error_code problem;
  const bool is_file = fs::is_regular_file(file, problem);
  if (problem == std::errc::permission_denied || (is_file && ::access(file.c_str(), R_OK) != 0)) {
    throw Error(ErrorKind::kEnvironment,
                "this user may not read the network file {}; let others read it and enter the folders above it "
                "(chmod a+rX)",
                printable(file.string()));
  }
  if (!is_file) {
    throw Error(ErrorKind::kInput, "there is no network file {}; put it there", printable(file.string()));
  }
  try {
    return core().read_model(file.string());
  } catch (const ov::Exception&) {
    // OpenVINO's words are pages about its own sources.
    refuse(file, "it is no ONNX or TensorFlow-Lite network, or it is damaged");
  }
}

void require_shape(const fs::path& file, std::string_view what, const ov::PartialShape& found,
                   const TensorShape& expected) {
  const auto wanted = ov::PartialShape(ov::Shape(expected));
  if (found.compatible(wanted)) return;
  refuse(file, fmt::format("{} has the shape {}, expected {}", what, found.to_string(), wanted.to_string()));
}

void require_floats(const fs::path& file, std::string_view what, const ov::element::Type& type) {
  if (type != ov::element::f32) refuse(file, fmt::format("{} is {}, expected 32-bit floats", what, type.to_string()));
}

ov::Output<ov::Node> find_output(const fs::path& file, const std::shared_ptr<ov::Model>& model,
                                 const NetworkInterface::Output& wanted) {
  std::vector<std::string> names;
  for (const auto& output : model->outputs()) {
    if (output.get_names().contains(wanted.name)) {
      require_shape(file, fmt::format("its output '{}'", wanted.name), output.get_partial_shape(), wanted.shape);
      require_floats(file, fmt::format("its output '{}'", wanted.name), output.get_element_type());
      return output;
    }
    names.push_back(printable(output.get_names().empty() ? "" : output.get_any_name()));
  }
  refuse(file, fmt::format("it has no output '{}' but '{}'", wanted.name, fmt::join(names, "', '")));
}

/// The network cut down to the outputs wanted, in their order.
std::shared_ptr<ov::Model> cut(const fs::path& file, const std::shared_ptr<ov::Model>& model,
                               const NetworkInterface& interface) {
  if (model->inputs().size() != 1) refuse(file, fmt::format("it has {} inputs, expected 1", model->inputs().size()));
  require_shape(file, "its input", model->input().get_partial_shape(), interface.input);
  require_floats(file, "its input", model->input().get_element_type());
  ov::OutputVector outputs;
  for (const auto& wanted : interface.outputs) outputs.push_back(find_output(file, model, wanted));
  auto part = std::make_shared<ov::Model>(outputs, model->get_parameters());
  part->reshape(ov::PartialShape(ov::Shape(interface.input)));
  return part;
}

}  // namespace

struct Network::State {
  // OpenVINO lets several threads make requests of one compiled network, but does not call that const.
  mutable ov::CompiledModel compiled;
};

Network::Network(const fs::path& file, const NetworkInterface& interface, NetworkThreads threads) {
  const std::shared_ptr<ov::Model> model = read(file);
  try {
    state_ = std::make_shared<const State>(
        State{core().compile_model(cut(file, model, interface), "CPU", ov::hint::inference_precision(ov::element::f32),
                                   ov::inference_num_threads(threads.threads), ov::num_streams(threads.parallel),
                                   ov::hint::enable_cpu_pinning(false))});
  } catch (const ov::Exception&) {
    refuse(file, "OpenVINO cannot run it");
  }
}

struct Inference::State {
  ov::InferRequest request;
};

Inference::Inference(const Network& network)
    : state_(std::make_unique<State>(State{network.state_->compiled.create_infer_request()})) {}
Inference::~Inference() = default;
Inference::Inference(Inference&&) noexcept = default;
Inference& Inference::operator=(Inference&&) noexcept = default;

std::span<float> Inference::input() {
  ov::Tensor tensor = state_->request.get_input_tensor();
  return {tensor.data<float>(), tensor.get_size()};
}

void Inference::run() {
  try {
    state_->request.infer();
  } catch (const ov::Exception&) {
    throw Error(ErrorKind::kEnvironment, "OpenVINO could not run a pose network; free some memory and try again");
  }
}

std::span<const float> Inference::output(std::size_t index) const {
  const ov::Tensor tensor = state_->request.get_output_tensor(index);
  return {tensor.data<const float>(), tensor.get_size()};
}

}  // namespace unianimate::pose
