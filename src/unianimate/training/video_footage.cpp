#include "unianimate/training/video_footage.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "unianimate/core/error.h"
#include "unianimate/core/random_stream.h"

namespace unianimate::training {

namespace {

constexpr std::uint64_t kMomentStream = 0x51DE05;
constexpr std::int64_t kLongestInterval = 4;  ///< frames

std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

void VideoFootageOptions::check() const {
  preparation.check();
  const auto longest = static_cast<std::int64_t>(kLongestSegment);
  if (coherent < 1 || coherent > longest || scattered < 0 || scattered > longest) {
    throw Error(ErrorKind::kUsage,
                "videos give 1 to {0} moments that follow each other and 0 to {0} others, but {1} and {2} are asked "
                "for",
                longest, coherent, scattered);
  }
}

VideoFootage::VideoFootage(const VideoFootageOptions& options, const pose::PoseSourceMaker& poses, Progress& progress)
    : options_((options.check(), options)), videos_(prepare_videos(options.preparation, poses, progress)) {
  std::size_t too_short = 0;
  for (std::size_t video = 0; video < videos_.size(); ++video) {
    const std::vector<std::int64_t>& lengths = videos_[video].lengths();
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      if (lengths[i] >= options_.coherent) {
        segments_.push_back({video, i});
      } else {
        ++too_short;
      }
    }
  }
  if (segments_.empty()) {
    throw Error(ErrorKind::kInput,
                "the person is nowhere seen in {} frames without a break, which data.coherent asks for; give longer "
                "videos or a lower number",
                options_.coherent);
  }
  progress.note(fmt::format("{} of {} to train on or to validate with", counted(segments_.size(), "segment"),
                            counted(videos_.size(), "video")));
  if (too_short > 0) {
    progress.note(
        fmt::format("{} left out for having fewer than {} frames", counted(too_short, "segment"), options_.coherent));
  }
}

std::int64_t VideoFootage::size() const {
  return static_cast<std::int64_t>(segments_.size()) * variants();
}

std::vector<std::int64_t> VideoFootage::moments_of(std::int64_t index, std::int64_t frames) const {
  RandomStream random(mixed_seed(static_cast<std::uint64_t>(index), kMomentStream));
  const std::int64_t steps = options_.coherent - 1;
  const std::int64_t widest = steps > 0 ? std::min(kLongestInterval, (frames - 1) / steps) : 1;
  const std::int64_t interval = 1 + random.below(widest);
  const std::int64_t first = random.below(frames - interval * steps);
  std::vector<std::int64_t> moments;
  for (std::int64_t i = 0; i < options_.coherent; ++i) moments.push_back(first + i * interval);
  for (std::int64_t i = 0; i < options_.scattered; ++i) moments.push_back(random.below(frames));
  return moments;
}

Footage VideoFootage::load(std::int64_t index) const {
  const Segment& segment = segments_.at(static_cast<std::size_t>(index / variants()));
  const bool flipped = index % variants() == 1;
  const PreparedSegment prepared = videos_[segment.video].load(segment.number);
  const std::vector<std::int64_t> moments = moments_of(index, prepared.pictures.size(0));
  const at::Tensor pictures = prepared.pictures.index_select(0, at::tensor(moments));
  std::vector<pose::Keypoints> keypoints;
  for (const std::int64_t moment : moments) {
    const pose::Keypoints& seen = prepared.keypoints[static_cast<std::size_t>(moment)];
    keypoints.push_back(flipped ? pose::mirrored(seen, options_.preparation.segments.width) : seen);
  }
  return make_footage(flipped ? pictures.flip({2}) : pictures, keypoints, options_.coherent);
}

std::string VideoFootage::description() const {
  std::string content;
  for (const PreparedVideo& video : videos_) content += video.file().filename().string() + ' ';
  const SegmentOptions& segments = options_.preparation.segments;
  return fmt::format("{} segments of {} videos ({:016x}){}, {}x{}, {} moments that follow and {} others",
                     segments_.size(), videos_.size(), std::hash<std::string>()(content),
                     options_.flips ? " and mirrored" : "", segments.width, segments.height, options_.coherent,
                     options_.scattered);
}

}  // namespace unianimate::training
