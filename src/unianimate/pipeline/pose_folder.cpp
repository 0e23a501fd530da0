#include "unianimate/pipeline/pose_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "unianimate/core/error.h"
#include "unianimate/media/image_reader.h"

namespace unianimate::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 4> kPictureSuffixes{".jpg", ".jpeg", ".png", ".webp"};
constexpr std::string_view kReferencePose = "ref_pose";

bool is_picture_name(const fs::path& path) {
  std::string suffix = path.extension().string();
  std::ranges::transform(suffix, suffix.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return !path.filename().string().starts_with('.') && std::ranges::count(kPictureSuffixes, suffix) > 0;
}

/// The pictures of the folder, sorted by name.
std::vector<fs::path> list_pictures(const fs::path& folder) {
  std::error_code problem;
  if (!fs::is_directory(folder, problem)) {
    throw Error(ErrorKind::kInput,
                "there is no pose folder {}; it should hold ref_pose.jpg and one picture for each pose",
                printable(folder.string()));
  }
  std::vector<fs::path> pictures;
  fs::directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    std::error_code ignored;
    if (is_picture_name(entry->path()) && entry->is_regular_file(ignored)) pictures.push_back(entry->path());
  }
  if (problem) {
    throw Error(ErrorKind::kEnvironment, "the pose folder {} cannot be read: {}", printable(folder.string()),
                problem.message());
  }
  std::ranges::sort(pictures, {}, [](const fs::path& path) { return path.filename().string(); });
  return pictures;
}

void require_equal_sizes(const PoseFolder& folder) {
  const ImageHeader expected = read_image_header(folder.reference_pose);
  for (const fs::path& pose : folder.poses) {
    const ImageHeader found = read_image_header(pose);
    if (found.width == expected.width && found.height == expected.height) continue;
    throw Error(ErrorKind::kInput,
                "the pose pictures must all have one size, but {} is {}x{} and {} is {}x{}; draw the poses again from "
                "one video",
                printable(folder.reference_pose.string()), expected.width, expected.height, printable(pose.string()),
                found.width, found.height);
  }
}

}  // namespace

PoseFolder open_pose_folder(const fs::path& folder) {
  PoseFolder found;
  found.poses = list_pictures(folder);
  const auto is_pose = [](const fs::path& path) { return path.stem() != kReferencePose; };
  const auto references = std::stable_partition(found.poses.begin(), found.poses.end(), is_pose);
  const auto count = found.poses.end() - references;
  if (count == 0) {
    throw Error(ErrorKind::kInput, "the pose folder {} lacks ref_pose.jpg, the pose of the person in the reference",
                printable(folder.string()));
  }
  if (count > 1) {
    throw Error(ErrorKind::kInput,
                "the pose folder {} holds both {} and {}; keep the one that belongs to the reference",
                printable(folder.string()), references[0].filename().string(), references[1].filename().string());
  }
  found.reference_pose = *references;
  found.poses.erase(references, found.poses.end());
  if (found.poses.empty()) {
    throw Error(ErrorKind::kInput, "the pose folder {} holds no pose beside {}; it needs one picture for each pose",
                printable(folder.string()), found.reference_pose.filename().string());
  }
  require_equal_sizes(found);
  return found;
}

PoseSelection select_poses(std::int64_t count, std::int64_t frame_interval, std::optional<std::int64_t> max_frames) {
  if (count < 1 || frame_interval < 1 || max_frames.value_or(1) < 1) {
    throw Error(ErrorKind::kUsage,
                "the number of poses, the frame interval and the number of frames must be at least 1, found {}, {} "
                "and {}",
                count, frame_interval, max_frames.value_or(1));
  }
  const std::int64_t last = count - 1;
  PoseSelection selection;
  selection.frame_interval = frame_interval;
  std::int64_t frames = max_frames.value_or(last / frame_interval + 1);
  const std::int64_t steps = frames - 1;
  if (steps > 0 && frame_interval > last / steps) {
    selection.frame_interval = std::max<std::int64_t>(1, last / steps);
    frames = std::min(frames, count);
    selection.note =
        fmt::format("{} poses are too few for {} frames at an interval of {}", count, steps + 1, frame_interval);
    selection.note +=
        selection.frame_interval == frame_interval
            ? fmt::format(", so the video gets {} frames", frames)
            : fmt::format(", so the interval is {} and the video gets {} frames", selection.frame_interval, frames);
  }
  for (std::int64_t frame = 0; frame < frames; ++frame) selection.indices.push_back(frame * selection.frame_interval);
  return selection;
}

}  // namespace unianimate::pipeline
