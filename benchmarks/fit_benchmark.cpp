// Which way of filling a video with a picture of another shape is nearest to the truth: procedural people in pictures
// of several shapes, animated with their own poses.
//
//   fit_benchmark [PEOPLE [FIRST_SEED]]
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "unianimate/core/device.h"
#include "unianimate/core/error.h"
#include "unianimate/evaluation/metrics.h"
#include "unianimate/families/families.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/pictures/framing.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/media/pictures/resize.h"
#include "unianimate/pose/draw/pose_folder_writer.h"
#include "unianimate/puppet/clip_poses.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/studio.h"

namespace {

namespace fs = std::filesystem;
using unianimate::Fit;
using unianimate::Framing;
using unianimate::Image;
using unianimate::PictureSize;
namespace studio = unianimate::studio;

constexpr std::int64_t kFrames = 8;
constexpr std::array kShapes{PictureSize{192, 384}, PictureSize{216, 384}, PictureSize{288, 288}, PictureSize{384, 288},
                             PictureSize{512, 288}};

struct Way {
  const char* name;
  Fit fit;
  bool is_auto;
};
constexpr std::array kWays{Way{"stretch", Fit::kStretch, false}, Way{"crop", Fit::kCrop, false},
                           Way{"pad", Fit::kPad, false}, Way{"auto", Fit::kCrop, true}};

/// Keeps what is finished.
class Silent final : public studio::JobObserver {
 public:
  void begin_phase(std::string_view /*name*/, std::int64_t /*total*/) override {}
  void step(std::int64_t /*done*/) override {}
};

/// The video's frames, back in the pictures that they show a part of, and which pixels they show.
class ShownAgain {
 public:
  ShownAgain(const Framing& framing, PictureSize picture)
      : left_(static_cast<int>(std::lround(framing.left * picture.width))),
        top_(static_cast<int>(std::lround(framing.top * picture.height))),
        right_(static_cast<int>(std::lround(framing.right * picture.width))),
        bottom_(static_cast<int>(std::lround(framing.bottom * picture.height))),
        picture_(picture) {}

  [[nodiscard]] bool shows(int x, int y) const { return x >= left_ && x < right_ && y >= top_ && y < bottom_; }
  [[nodiscard]] Image frame(const Image& of_video) const {
    const Image part = unianimate::resize_bilinear(of_video, right_ - left_, bottom_ - top_);
    Image whole(picture_.width, picture_.height);
    for (int y = std::max(top_, 0); y < std::min(bottom_, whole.height); ++y) {
      for (int x = std::max(left_, 0); x < std::min(right_, whole.width); ++x) {
        const auto from = part.row(y - top_).subspan(static_cast<std::size_t>(x - left_) * Image::kChannels);
        std::copy_n(from.begin(), Image::kChannels,
                    whole.row(y).begin() + static_cast<std::ptrdiff_t>(x) * Image::kChannels);
      }
    }
    return whole;
  }

 private:
  int left_;
  int top_;
  int right_;
  int bottom_;
  PictureSize picture_;
};

struct Result {
  ShownAgain shown;
  std::vector<Image> frames;
};

Result animate(studio::Studio& models, const unianimate::family::AnimateRequest& defaults, const fs::path& folder,
               const Way& way, PictureSize picture) {
  studio::VideoOrder order;
  order.job.request = defaults;
  order.job.request.reference = folder / "reference.png";
  order.job.request.poses = folder / "poses";
  order.job.request.frames.reset();
  order.job.request.frame_interval = 1;
  order.job.output = folder / "video.mkv";
  order.fit = way.fit;
  if (way.is_auto) order.size = studio::SizeChoice{};
  order.keeping.save_every = 0;
  Silent observer;
  const studio::FinishedVideo video = models.make(order, observer);
  Result result{ShownAgain(video.job.request.framing, picture), {}};
  const auto source = unianimate::open_frame_source(order.job.output);
  while (const auto frame = source->next()) result.frames.push_back(result.shown.frame(frame->image));
  return result;
}

/// Sums over people.
struct Score {
  double psnr = 0;
  double lost = 0;  ///< share of the figure's pixels that the video does not show
};

void measure(studio::Studio& models, const unianimate::family::AnimateRequest& defaults, std::uint64_t seed,
             PictureSize picture, const fs::path& folder, std::array<Score, kWays.size()>& scores) {
  const unianimate::puppet::Clip clip(
      {.seed = seed, .width = picture.width, .height = picture.height, .frames = kFrames});
  unianimate::write_png(folder / "reference.png", clip.reference());
  Silent silent;
  unianimate::pose::draw_pose_folder(unianimate::puppet::poses_of(clip), folder / "poses", 1, silent);
  std::vector<Result> results;
  for (const Way& way : kWays) results.push_back(animate(models, defaults, folder, way, picture));
  for (std::int64_t frame = 0; frame < kFrames; ++frame) {
    const Image truth = clip.frame(frame);
    const std::vector<std::uint8_t> figure = clip.figure_mask(frame);
    std::vector<std::uint8_t> seen_by_all = figure;
    std::array<double, kWays.size()> lost{};
    double pixels = 0;
    for (std::size_t i = 0; i < figure.size(); ++i) {
      if (figure[i] == 0) continue;
      ++pixels;
      for (std::size_t way = 0; way < kWays.size(); ++way) {
        if (results[way].shown.shows(static_cast<int>(i) % picture.width, static_cast<int>(i) / picture.width))
          continue;
        ++lost[way];
        seen_by_all[i] = 0;
      }
    }
    for (std::size_t way = 0; way < kWays.size(); ++way) {
      scores[way].psnr += unianimate::evaluation::masked_psnr(results[way].frames.at(static_cast<std::size_t>(frame)),
                                                              truth, seen_by_all);
      scores[way].lost += lost[way] / pixels;
    }
  }
}

void run(int people, std::uint64_t first_seed) {
  unianimate::family::RuntimeOptions runtime;
  runtime.compute = unianimate::choose_compute(unianimate::DeviceChoice::kCpu, unianimate::DTypeChoice::kFloat32);
  const fs::path models_folder = studio::models_to_animate_with("");
  studio::Studio models = studio::Studio::open(models_folder, runtime);
  const unianimate::family::AnimateRequest defaults = unianimate::family::default_request(models_folder);
  const fs::path folder = fs::temp_directory_path() / fmt::format("fit_benchmark-{}", first_seed);
  fs::create_directories(folder);
  fmt::print("PSNR within the figure in dB, and how much of the figure is not shown; videos of {}x{}, {} people\n",
             defaults.width, defaults.height, people);
  for (const PictureSize& picture : kShapes) {
    std::array<Score, kWays.size()> scores{};
    for (int i = 0; i < people; ++i) {
      measure(models, defaults, first_seed + static_cast<std::uint64_t>(i), picture, folder, scores);
    }
    fmt::print("{:>4}x{:<4}", picture.width, picture.height);
    const double all = static_cast<double>(people) * kFrames;
    for (std::size_t way = 0; way < kWays.size(); ++way) {
      fmt::print("  {} {:.2f} ({:.1f} %)", kWays[way].name, scores[way].psnr / all, 100 * scores[way].lost / all);
    }
    fmt::print("\n");
    std::fflush(stdout);
  }
  fs::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kPeople = 6;
  constexpr std::uint64_t kUnseen = 900'000;
  try {
    run(argc > 1 ? std::atoi(argv[1]) : kPeople, argc > 2 ? std::strtoull(argv[2], nullptr, 10) : kUnseen);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "fit_benchmark: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
