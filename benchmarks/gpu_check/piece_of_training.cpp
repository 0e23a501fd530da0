// A training of the UNet that goes on where the last piece ended, bit for bit.
#include <fmt/format.h>

#include "gpu_check/random_models.h"
#include "gpu_check/setup.h"
#include "stopwatch.h"
#include "unianimate/core/output_file.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/training/trainer.h"

namespace unianimate::benchmarks {

namespace {

class UntilTimeIsUp : public Progress {
 public:
  explicit UntilTimeIsUp(double seconds) : seconds_(seconds) {}
  [[nodiscard]] bool cancelled() const override { return watch_.seconds() > seconds_; }
  void step(std::int64_t /*done*/) override { ++steps_; }
  [[nodiscard]] std::int64_t steps() const { return steps_; }

 private:
  double seconds_;
  Stopwatch watch_;
  std::int64_t steps_ = 0;
};

training::TrainConfig config_of(const Setup& setup, const std::filesystem::path& start) {
  training::TrainConfig config;
  config.output = setup.output / "training";
  config.start = start;
  config.steps = 1'000'000;
  config.batch_size = setup.tiny ? 1 : 4;
  if (setup.device == DeviceChoice::kCuda) config.precision = at::kBFloat16;
  // Nobody whom the embedded model has learnt from, and nobody for measuring.
  config.people = {.first_person = 1'500'000, .people = setup.tiny ? 4 : 4096, .coherent = 8, .scattered = 4};
  config.kept_aside = {.first_person = 910'000, .people = setup.tiny ? 2 : 16, .coherent = 8, .scattered = 4};
  // Beside a tiny one: as the embedded model's videos.
  config.people.width = setup.tiny ? 64 : 192;
  config.people.height = setup.tiny ? 64 : 256;
  config.kept_aside.width = config.people.width;
  config.kept_aside.height = config.people.height;
  config.optimizer.learning_rate = 2e-4;
  config.optimizer.warmup_steps = 100;
  config.log_every = 10;
  config.sample_every = 0;
  config.save_every = 500;
  return config;
}

}  // namespace

void train_a_piece(const Setup& setup) {
  const Compute compute = choose_compute(setup.device, DTypeChoice::kAuto);
  std::filesystem::path start = setup.models;
  if (start.empty()) {
    start = setup.output / "start";
    if (!std::filesystem::exists(start)) {
      OutputPath whole(start, OutputKind::kFolder);
      write_random_models(whole.temporary(), setup.configs(), compute.device);
      whole.commit();
    }
  }
  const training::TrainConfig config = config_of(setup, start);
  const auto group = distributed::ProcessGroup::of_one();
  UntilTimeIsUp progress(setup.seconds);
  const PeakMemory memory(compute.device);
  const Stopwatch watch;
  const training::TrainingReport report = training::train(config, compute, *group, progress);
  keep_rows(setup, "train",
            {{{"what", "train"},
              {"steps", report.steps},
              {"steps_of_this_piece", progress.steps()},
              {"clips_per_second", static_cast<double>(progress.steps() * config.batch_size) / watch.seconds()},
              {"last_loss", report.last_loss},
              {"dtype", dtype_name(config.precision)},
              {"peak_bytes", memory.bytes()}}});
}

}  // namespace unianimate::benchmarks
