// Speed of training on one process: steps a second, where the time of a step goes, and its share of what this machine's
// convolutions do at best, measured in the same run, and beside the same steps with gradients by ATen alone.
//
//   training_benchmark CONFIG.yaml [STEPS]
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <vector>

#include "operator_profile.h"
#include "stopwatch.h"
#include "unianimate/models/unet/cost.h"
#include "unianimate/nn/ops/ops.h"
#include "unianimate/training/optimizer.h"
#include "unianimate/training/task_factory.h"

namespace unianimate::benchmarks {
namespace {

/// Multiply-adds counted as two, a second, of a 3x3 convolution with 128 channels: the best of several runs.
double convolution_rate() {
  constexpr std::int64_t kChannels = 128;
  constexpr std::int64_t kSide = 32;
  constexpr int kRuns = 20;
  const at::Tensor x = at::randn({8, kChannels, kSide, kSide}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor weight = at::randn({kChannels, kChannels, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
  double best = 1e9;
  for (int run = 0; run < kRuns; ++run) {
    best = std::min(best, seconds_of([&] { at::conv2d(x, weight, {}, 1, 1); }));
  }
  return 2.0 * 8 * kSide * kSide * 9 * kChannels * kChannels / best;
}

/// The kernels of a number format, with those for gradients or without.
class GradientKernels {
 public:
  explicit GradientKernels(nn::KernelElement element, at::ScalarType type)
      : element_(element), all_(nn::ops_for(at::empty({1}, type))) {}

  void use(bool own) const {
    nn::Ops some = all_;
    if (!own) {
      some.attention_gradients = nullptr;
      some.group_norm_gradients = nullptr;
      some.gated_gelu_gradients = nullptr;
      some.selective_scan_gradients = nullptr;
    }
    nn::register_ops(static_cast<nn::KernelDevice>(at::kCPU), element_, some);
  }

 private:
  nn::KernelElement element_;
  nn::Ops all_;
};

/// Prints the seconds of `steps` steps by ATen alone, divided by those with kernels for gradients: the median of
/// several rounds.
template <typename Step>
void print_gain_of_kernels(int steps, const Step& step) {
  constexpr int kRounds = 5;
  const std::array kernels{GradientKernels(nn::KernelElement::kFloat, at::kFloat),
                           GradientKernels(nn::KernelElement::kBFloat16, at::kBFloat16)};
  std::vector<double> gains;
  for (int round = 0; round < kRounds; ++round) {
    std::array<double, 2> seconds{};
    for (const bool own : {false, true}) {
      for (const GradientKernels& of_format : kernels) of_format.use(own);
      step();
      seconds.at(own ? 1 : 0) = seconds_of([&] {
        for (int i = 0; i < steps; ++i) step();
      });
    }
    gains.push_back(seconds[0] / seconds[1]);
  }
  std::ranges::sort(gains);
  fmt::print("with kernels for gradients {:.2f} times as fast as without ({:.2f} to {:.2f})\n", gains[kRounds / 2],
             gains.front(), gains.back());
}

void run(const training::TrainConfig& config, int steps) {
  Progress silent;
  at::set_num_threads(1);
  const auto group = distributed::ProcessGroup::from_environment(at::kCPU);
  const family::ModelDescription description = training::describe_models(config);
  const auto footage = training::open_footage(config.people, config.videos, {}, *group, silent);
  const auto kept_aside = training::open_footage(config.kept_aside, config.kept_aside_videos, {}, *group, silent);
  const auto task = training::make_task(config, description, footage, kept_aside, at::kCPU, silent);
  training::Optimizer optimizer(task->parameters(), config.optimizer);

  // The same microbatch again and again, so that making its material is not measured.
  double forward = 0;
  double backward = 0;
  double update = 0;
  const auto step = [&] {
    training::Loss loss;
    optimizer.zero_gradients();
    forward += seconds_of([&] { loss = task->loss(0, 0); });
    backward += seconds_of([&] {
      loss.total.backward();
      task->collect_gradients();
    });
    update += seconds_of([&] {
      optimizer.step(config.optimizer.learning_rate, 1);
      task->parameters_changed();
    });
  };
  step();
  forward = backward = update = 0;
  for (int i = 0; i < steps; ++i) step();
  const double all = forward + backward + update;
  fmt::print("{:.2f} microbatches of {} a second on one core: loss {:.0f} %, gradients {:.0f} %, update {:.0f} %\n",
             steps / all, config.batch_size, 100 * forward / all, 100 * backward / all, 100 * update / all);
  if (config.task == training::TaskKind::kUNet) {
    const family::ModelConfigs& sizes = description.configs;
    const auto scale = sizes.autoencoder.downscale();
    const models::LatentShape shape{config.batch_size, config.unet_loss.frames, config.people.height / scale,
                                    config.people.width / scale};
    const double operations = 3 * models::unet_operations(sizes.unet, shape);
    const double rate = convolution_rate();
    fmt::print(
        "{:.1f} GFLOP a microbatch (forward and twice as much backward), {:.0f} GFLOP/s: {:.0f} % of the {:.0f} "
        "GFLOP/s of a wide convolution\n",
        operations / 1e9, operations * steps / all / 1e9, 100 * operations * steps / all / rate, rate / 1e9);
  }
  print_gain_of_kernels(std::max(1, steps / 4), step);
  constexpr std::size_t kShown = 15;
  const std::vector<OperatorTime> operators = profile_operators(step);
  double total = 0;
  for (const OperatorTime& one : operators) total += one.seconds;
  for (std::size_t i = 0; i < std::min(kShown, operators.size()); ++i) {
    fmt::print("{:5.1f} %  {:6} calls  {}\n", 100 * operators[i].seconds / total, operators[i].calls,
               operators[i].name);
  }
}

}  // namespace
}  // namespace unianimate::benchmarks

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: training_benchmark CONFIG.yaml [STEPS]\n");
    return 2;
  }
  try {
    constexpr int kSteps = 20;
    unianimate::benchmarks::run(unianimate::training::read_train_config(argv[1]),
                                argc > 2 ? std::max(1, std::atoi(argv[2])) : kSteps);
  } catch (const std::exception& error) {
    fmt::print(stderr, "training_benchmark: {}\n", error.what());
    return 1;
  }
  return 0;
}
