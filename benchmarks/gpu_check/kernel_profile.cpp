// Where the time of one call of the UNet goes: kernels of a card, operators of a CPU.
#include <fmt/format.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include <algorithm>
#include <map>
#include <optional>

#include "gpu_check/setup.h"
#include "model_speed.h"

namespace unianimate::benchmarks {

namespace {

namespace kineto = torch::autograd::profiler;

struct Total {
  std::string name;
  std::int64_t calls = 0;
  double seconds = 0;
};

/// The slowest first. On a CPU an operator's time includes that of those it calls.
std::vector<Total> profile(at::Device device, const std::function<at::Tensor()>& work) {
  using torch::profiler::impl::ActivityType;
  std::set<ActivityType> activities{ActivityType::CPU};
  if (device.is_cuda()) activities.insert(ActivityType::CUDA);
  const torch::profiler::impl::ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO);
  kineto::prepareProfiler(config, activities);
  kineto::enableProfiler(config, activities, {at::RecordScope::FUNCTION});
  work().flatten()[0].item<float>();
  const auto result = kineto::disableProfiler();
  std::map<std::string, Total> totals;
  constexpr double kNanosecond = 1e-9;
  for (const kineto::KinetoEvent& event : result->events()) {
    if (event.deviceType() != device.type()) continue;
    Total& total = totals[event.name()];
    total.name = event.name();
    ++total.calls;
    total.seconds += kNanosecond * static_cast<double>(event.durationNs());
  }
  std::vector<Total> sorted;
  for (auto& [name, total] : totals) sorted.push_back(std::move(total));
  std::ranges::sort(sorted, std::greater<>(), &Total::seconds);
  return sorted;
}

}  // namespace

void profile_kernels(const Setup& setup) {
  constexpr std::size_t kShown = 30;
  const c10::InferenceMode inference;
  const Compute compute = choose_compute(setup.device, DTypeChoice::kAuto);
  const models::LatentShape shape = setup.tiny ? models::LatentShape{1, 3, 8, 8} : models::LatentShape{1, 32, 96, 64};
  const UNetCall unet(setup.configs().unet, shape, at::TensorOptions(compute.device).dtype(compute.dtype));
  std::vector<Row> rows;
  for (const bool own : {false, true}) {
    std::optional<WithoutOwnKernels> without;
    if (!own) without.emplace(compute);
    unet().flatten()[0].item<float>();
    const std::vector<Total> totals = profile(compute.device, [&] { return unet(); });
    for (std::size_t i = 0; i < std::min(kShown, totals.size()); ++i) {
      rows.push_back({{"what", "kernel"},
                      {"own_kernels", own},
                      {"name", totals[i].name},
                      {"calls", totals[i].calls},
                      {"seconds", totals[i].seconds}});
    }
  }
  keep_rows(setup, "profile", rows);
}

}  // namespace unianimate::benchmarks
