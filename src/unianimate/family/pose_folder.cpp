#include "unianimate/family/pose_folder.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "unianimate/core/error.h"
#include "unianimate/core/natural_order.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/picture_names.h"

namespace unianimate::family {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kReferencePose = "ref_pose";

std::string name_of(const fs::path& path) {
  return path.filename().string();
}

struct FolderContent {
  std::vector<fs::path> pictures;
  std::vector<fs::path> not_read;  ///< pictures, too, by their names
};

/// Both in natural order.
FolderContent list_folder(const fs::path& folder) {
  std::error_code problem;
  if (!fs::is_directory(folder, problem)) {
    throw Error(ErrorKind::kInput,
                "there is no pose folder {}; it should hold ref_pose.jpg and one picture for each pose{}",
                printable(folder.string()), path_hint(folder));
  }
  FolderContent content;
  fs::directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    std::error_code ignored;
    const NamedAs kind = named_as(entry->path());
    if (kind == NamedAs::kOther || !entry->is_regular_file(ignored)) continue;
    (kind == NamedAs::kPicture ? content.pictures : content.not_read).push_back(entry->path());
  }
  if (problem) {
    throw Error(ErrorKind::kEnvironment, "the pose folder {} cannot be read: {}", printable(folder.string()),
                problem.message());
  }
  std::ranges::sort(content.pictures, natural_less, name_of);
  std::ranges::sort(content.not_read, natural_less, name_of);
  return content;
}

/// As text, in place of the natural order; says where that is another.
void put_in_published_order(PoseFolder& folder) {
  const std::vector<fs::path> natural = folder.poses;
  std::ranges::sort(folder.poses, {}, name_of);
  const auto difference = std::ranges::mismatch(natural, folder.poses);
  if (difference.in1 == natural.end()) return;
  folder.notes.push_back(fmt::format(
      "the poses are taken in the published order, by their names as text, in which {} stands where {} does "
      "when numbers are counted; give all numbers the same length to have them in order",
      printable(name_of(*difference.in2)), printable(name_of(*difference.in1))));
}

/// Tells of numbers that are there twice or not at all.
void look_at_numbers(PoseFolder& folder, const fs::path& path) {
  std::vector<std::string> names;
  for (const fs::path& pose : folder.poses) names.push_back(pose.stem().string());
  std::optional<std::vector<std::int64_t>> numbers = numbers_of_names(names);
  if (!numbers) return;
  std::ranges::sort(*numbers);
  const auto twice = std::ranges::adjacent_find(*numbers);
  if (twice != numbers->end()) {
    folder.notes.push_back(fmt::format("the pose folder {} holds several pictures numbered {}, and each becomes a pose",
                                       printable(path.string()), *twice));
    return;
  }
  const NumberGaps gaps = gaps_between(*numbers);
  if (gaps.count == 0) return;
  folder.notes.push_back(fmt::format("the pose folder {} has no pictures numbered {}, and what follows comes sooner",
                                     printable(path.string()), gaps.text));
}

void tell_pictures_not_read(const std::vector<fs::path>& pictures, PoseFolder& folder) {
  if (pictures.empty()) return;
  const std::string first = printable(name_of(pictures.front()));
  folder.notes.push_back(
      pictures.size() == 1
          ? fmt::format(
                "a picture of a kind that is not read is left out of the poses, {}; convert it to JPEG or PNG if it "
                "is one",
                first)
          : fmt::format(
                "{} pictures of a kind that is not read are left out of the poses, first {}; convert to JPEG or "
                "PNG what is one",
                pictures.size(), first));
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

PoseFolder open_pose_folder(const fs::path& folder, PoseOrder order) {
  FolderContent content = list_folder(folder);
  PoseFolder found;
  found.poses = std::move(content.pictures);
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
  if (order == PoseOrder::kPublished) put_in_published_order(found);
  look_at_numbers(found, folder);
  tell_pictures_not_read(content.not_read, found);
  require_equal_sizes(found);
  return found;
}

PoseSelection select_poses(std::int64_t count, std::int64_t frame_interval, std::optional<std::int64_t> frames) {
  if (count < 1 || frame_interval < 1 || frames.value_or(1) < 1) {
    throw Error(ErrorKind::kUsage,
                "the number of poses, the frame interval and the number of frames must be at least 1, found {}, {} "
                "and {}",
                count, frame_interval, frames.value_or(1));
  }
  const std::int64_t last = count - 1;
  PoseSelection selection;
  selection.frame_interval = frame_interval;
  std::int64_t made = frames.value_or(last / frame_interval + 1);
  const std::int64_t steps = made - 1;
  if (steps > 0 && frame_interval > last / steps) {
    selection.frame_interval = std::max<std::int64_t>(1, last / steps);
    made = std::min(made, count);
    selection.note =
        fmt::format("{} poses are too few for {} frames at an interval of {}", count, steps + 1, frame_interval);
    selection.note +=
        selection.frame_interval == frame_interval
            ? fmt::format(", so the video gets {} frames", made)
            : fmt::format(", so the interval is {} and the video gets {} frames", selection.frame_interval, made);
  }
  for (std::int64_t frame = 0; frame < made; ++frame) selection.indices.push_back(frame * selection.frame_interval);
  return selection;
}

}  // namespace unianimate::family
