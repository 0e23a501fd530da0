// Inside pose: neural networks from files, run by OpenVINO on the CPU in 32-bit floats.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace unianimate::pose {

using TensorShape = std::vector<std::size_t>;

/// What a network file must hold to be the network it is taken for.
struct NetworkInterface {
  TensorShape input;
  struct Output {
    std::string name;
    TensorShape shape;
  };
  std::vector<Output> outputs;  ///< of those it has; what only the others need is not computed
};

/// How many cores a network may keep busy.
struct NetworkThreads {
  int threads = 1;   ///< of all its inferences together
  int parallel = 1;  ///< inferences that run at the same time
};

/// A network with one input, ready to run. Cheap to copy; may be shared by threads.
class Network {
 public:
  /// Throws Error(kInput) naming the file where it is missing, is no ONNX or TensorFlow-Lite network, or has another
  /// interface.
  Network(const std::filesystem::path& file, const NetworkInterface& interface, NetworkThreads threads);

 private:
  friend class Inference;
  struct State;
  std::shared_ptr<const State> state_;
};

/// A place to run a network; one for each thread.
class Inference {
 public:
  explicit Inference(const Network& network);
  ~Inference();
  Inference(Inference&&) noexcept;
  Inference& operator=(Inference&&) noexcept;

  /// To be filled before each run(); row-major in the shape asked for.
  [[nodiscard]] std::span<float> input();
  void run();
  /// Number `index` of the outputs asked for, row-major; valid until the next run().
  [[nodiscard]] std::span<const float> output(std::size_t index) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace unianimate::pose
