// How fast poses are taken from a video: frames a second, and against decoding alone in the same run.
//
//   align_benchmark REFERENCE VIDEO [RUNS]
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "stopwatch.h"
#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/film/still_pictures.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/studio/pose_preparation.h"

namespace {

namespace fs = std::filesystem;
using unianimate::Progress;
using unianimate::benchmarks::Stopwatch;

/// Adds up what each phase takes.
class PhaseTimes final : public Progress {
 public:
  void begin_phase(std::string_view name, std::int64_t /*total*/) override {
    end();
    name_ = name;
    watch_ = {};
  }
  void end() {
    if (name_ == "load pose models") loading_ += watch_.seconds();
    if (!name_.empty()) fmt::print("    {:<18}{:6.2f} s\n", name_, watch_.seconds());
    name_.clear();
  }
  [[nodiscard]] double loading() const { return loading_; }

 private:
  std::string name_;
  Stopwatch watch_;
  double loading_ = 0;
};

double frames_per_second_of_decoding(const fs::path& video) {
  const Stopwatch watch;
  const auto source = unianimate::open_frame_source(video);
  double frames = 0;
  while (source->next()) ++frames;
  return frames / watch.seconds();
}

double frames_per_second_of_aligning(const fs::path& reference, const fs::path& video, const fs::path& folder) {
  unianimate::studio::AlignRequest request;
  request.reference = reference;
  request.motion = video;
  request.output = folder / "poses";
  PhaseTimes phases;
  const Stopwatch watch;
  const auto result = unianimate::studio::prepare_poses(request, phases);
  const double seconds = watch.seconds() - phases.loading();
  phases.end();
  return static_cast<double>(result.frames_looked_at) / seconds;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: align_benchmark REFERENCE VIDEO [RUNS]\n");
    return 2;
  }
  unianimate::read_further_pictures();
  const int runs = argc > 3 ? std::max(1, std::atoi(argv[3])) : 3;
  const fs::path folder = fs::temp_directory_path() / fmt::format("align_benchmark.{}", ::getpid());
  try {
    double decoding = 0;
    double aligning = 0;
    for (int run = 0; run < runs; ++run) {
      fmt::print("run {}\n", run + 1);
      decoding = std::max(decoding, frames_per_second_of_decoding(argv[2]));
      fs::remove_all(folder);
      aligning = std::max(aligning, frames_per_second_of_aligning(argv[1], argv[2], folder));
    }
    fs::remove_all(folder);
    fmt::print("decoding alone   {:7.1f} frames a second\n", decoding);
    fmt::print("whole alignment  {:7.1f} frames a second without loading the networks, {:.3f} of decoding alone\n",
               aligning, aligning / decoding);
    fmt::print("peak memory      {}\n", unianimate::format_bytes(unianimate::peak_resident_bytes()));
  } catch (const unianimate::Error& error) {
    fmt::print(stderr, "align_benchmark: {}\n", error.what());
    return exit_status(error.kind());
  }
  return 0;
}
