// Whole videos, from pictures to frames, with random weights of the published shapes.
#include <fmt/format.h>

#include "gpu_check/random_models.h"
#include "gpu_check/setup.h"
#include "model_speed.h"
#include "stopwatch.h"
#include "support/rule.h"
#include "support/temporary_folder.h"
#include "unianimate/families/families.h"
#include "unianimate/family/pictures.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pipeline/animate.h"

namespace unianimate::benchmarks {

namespace {

namespace fs = std::filesystem;

constexpr double kTera = 1e12;

/// Keeps nothing but a sum of all pixels, by which two videos are told apart.
class HashedFrames : public FrameSink {
 public:
  void write(const Image& frame) override {
    for (const std::uint8_t byte : frame.pixels) hash_ = (hash_ ^ byte) * kPrime;
  }
  void finish() override {}
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  // FNV-1a.
  static constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

struct ClipSize {
  int width;
  int height;
  std::int64_t frames;
  std::int64_t steps;
  int runs;
};

std::vector<ClipSize> clip_sizes(const Setup& setup) {
  if (setup.tiny) return {{64, 64, 3, 2, 2}};
  return {{512, 768, 32, 30, 2}, {768, 1216, 32, 30, 1}};
}

void write_pictures(const fs::path& folder, const ClipSize& size) {
  const auto write = [&](const fs::path& file) {
    write_png(file, family::image_from_tensor(testing::rule_picture(file.filename(), size.height, size.width)));
  };
  fs::create_directories(folder / "poses");
  write(folder / "reference.png");
  write(folder / "poses/ref_pose.png");
  for (std::int64_t k = 0; k < size.frames; ++k) write(folder / fmt::format("poses/{:04}.png", k));
}

Row measure(family::Family& family, const ClipSize& size, const fs::path& pictures, const Compute& compute) {
  family::AnimateRequest request;
  request.reference = pictures / "reference.png";
  request.poses = pictures / "poses";
  request.width = size.width;
  request.height = size.height;
  request.frames = size.frames;
  request.frame_interval = 1;
  request.sampling.steps = size.steps;
  Progress silent;
  const PeakMemory memory(compute.device);
  const Stopwatch watch;
  const pipeline::AnimatePlan plan = pipeline::plan_animation(request, family);
  HashedFrames frames;
  const pipeline::AnimateReport report = pipeline::animate(family, plan, frames, silent);
  const double seconds = watch.seconds();
  Row phases;
  for (const pipeline::Phase& phase : report.phases) phases[phase.place.name()] = phase.seconds;
  return {{"what", "clip"},
          {"size", fmt::format("{}x{}", size.width, size.height)},
          {"frames", size.frames},
          {"steps", plan.timesteps},
          {"dtype", dtype_name(compute.dtype)},
          {"seconds", seconds},
          {"tflop", plan.model_operations / kTera},
          {"tflops", plan.model_operations / seconds / kTera},
          {"peak_bytes", memory.bytes()},
          {"phases", phases},
          {"hash", fmt::format("{:016x}", frames.hash())}};
}

}  // namespace

void bench_clips(const Setup& setup) {
  const Compute compute = choose_compute(setup.device, DTypeChoice::kAuto);
  const testing::TemporaryFolder folder;
  write_random_models(folder.path(), setup.configs(), compute.device);
  const double best = measure_best_rates(at::TensorOptions(compute.device).dtype(compute.dtype), {}).best();
  family::RuntimeOptions runtime;
  runtime.compute = compute;
  const auto family = families::open_family(family::find_model_files(folder.path()), runtime);
  std::vector<Row> rows;
  for (const ClipSize& size : clip_sizes(setup)) {
    const testing::TemporaryFolder pictures;
    write_pictures(pictures.path(), size);
    for (int run = 0; run < size.runs; ++run) {
      Row row = measure(*family, size, pictures.path(), compute);
      row["share_of_best"] = row["tflops"].get<double>() * kTera / best;
      // A run of the same size before loaded what this one has in memory already.
      row["warm"] = run > 0;
      if (run > 0) row["same_bits"] = row["hash"] == rows.back()["hash"];
      rows.push_back(row);
      keep_rows(setup, "clip", rows);
    }
  }
}

}  // namespace unianimate::benchmarks
