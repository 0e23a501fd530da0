// Speed of training on one process: steps a second, where the time of a step goes, and its share of what this machine's
// convolutions do at best, measured in the same run.
//
//   training_benchmark CONFIG.yaml [STEPS]
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <vector>

#include "operator_profile.h"
#include "stopwatch.h"
#include "unianimate/models/unet/cost.h"
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
