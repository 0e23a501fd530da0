#include "unianimate/pipeline/estimate.h"

#include <ATen/ATen.h>

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "unianimate/nn/ops/int8.h"

namespace unianimate::pipeline {

namespace {

/// Which share of the speed of its convolutions a model as a whole reaches.
constexpr double kModelEfficiency = 0.75;
/// The same where these are in 8 bits, beside which all else takes longer.
constexpr double kInt8ModelEfficiency = 0.6;

/// Operations a second that convolutions reach.
double measure_speed(const Compute& compute) {
  using Clock = std::chrono::steady_clock;
  constexpr std::int64_t kChannels = 320;
  constexpr std::int64_t kSide = 32;
  constexpr std::int64_t kFrames = 8;
  const c10::InferenceMode inference;
  const at::TensorOptions type = at::TensorOptions().device(compute.device).dtype(compute.dtype);
  const at::Tensor x = at::ones({kFrames, kChannels, kSide, kSide}, type).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor weight = at::ones({kChannels, kChannels, 3, 3}, type).contiguous(at::MemoryFormat::ChannelsLast);
  const double operations = 2.0 * kFrames * kSide * kSide * kChannels * kChannels * 9;
  constexpr nn::Convolution kSame{{1, 1}, {1, 1}};
  std::optional<nn::PackedInt8> packed;
  if (compute.int8) packed = nn::pack_int8_conv(nn::quantize_weight(weight), {}, kSame);
  const auto convolve = [&] {
    const at::Tensor y = packed ? nn::int8_conv(x, *packed, kSame) : at::conv2d(x, weight, {}, {1, 1}, {1, 1});
    return y.sum().item<float>();
  };
  convolve();
  const auto start = Clock::now();
  int repetitions = 0;
  while (Clock::now() - start < std::chrono::milliseconds(700)) {
    convolve();
    ++repetitions;
  }
  return operations * repetitions / std::chrono::duration<double>(Clock::now() - start).count();
}

/// The same, measured once.
double speed_of(const Compute& compute) {
  static std::mutex mutex;
  static std::map<std::pair<std::string, std::string>, double> speeds;
  const std::scoped_lock lock(mutex);
  double& speed = speeds[{compute.device.str(), dtype_name(compute)}];
  if (speed == 0) speed = measure_speed(compute);
  return speed;
}

}  // namespace

double estimate_seconds(const AnimatePlan& plan, const Compute& compute) {
  return plan.model_operations / speed_of(compute) / (compute.int8 ? kInt8ModelEfficiency : kModelEfficiency);
}

double estimate_decoding_seconds(const AnimatePlan& plan, const Compute& compute) {
  Compute of_decoder = compute;
  of_decoder.int8 = false;
  return plan.decoding_operations / speed_of(of_decoder) / kModelEfficiency;
}

}  // namespace unianimate::pipeline
