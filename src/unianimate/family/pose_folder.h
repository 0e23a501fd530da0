// A folder of aligned pose pictures, as the published pose tool leaves it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/fields/words.h"

namespace unianimate::family {

struct PoseFolder {
  std::filesystem::path reference_pose;      ///< ref_pose.jpg, the reference's own pose
  std::vector<std::filesystem::path> poses;  ///< the other pictures, in order
  std::vector<std::string> notes;            ///< what may be other than meant: numbers left out, files left alone
};

/// Of the names of pose pictures.
enum class PoseOrder {
  kNatural,    ///< as natural_less() has it: 1000, 1001, 10000
  kPublished,  ///< as text, which the published program sorts by: 1000, 10000, 1001
};

constexpr auto words(PoseOrder /*of*/) {
  return std::array<fields::Word<PoseOrder>, 2>{
      {{PoseOrder::kNatural, "natural"}, {PoseOrder::kPublished, "published"}}};
}

/// Lists the folder and reads every picture's header. Pictures are the files that named_as() takes for such; everything
/// else in the folder is left alone. Throws Error(kInput)
/// where it is no folder, ref_pose.jpg (or another of those suffixes) is missing or there are two of it, there is no
/// pose, a file is not a picture, or the pictures' sizes differ; Error(kEnvironment) where the folder cannot be read.
PoseFolder open_pose_folder(const std::filesystem::path& folder, PoseOrder order = PoseOrder::kNatural);

/// Which poses become frames.
struct PoseSelection {
  std::vector<std::int64_t> indices;  ///< into PoseFolder::poses, one for each frame to make
  std::int64_t frame_interval = 1;    ///< the interval used, which may be smaller than asked for
  std::string note;                   ///< what was adjusted and why; empty where nothing was
};

/// frame_interval k takes poses 0, k, 2k, …; `frames` of them, or all there are. With fewer than k·(frames−1)+1
/// poses, k becomes max(1, (count−1) div (frames−1)); where that is still not enough, as many as there are.
/// Throws Error(kUsage) unless all three are at least 1.
PoseSelection select_poses(std::int64_t count, std::int64_t frame_interval, std::optional<std::int64_t> frames);

}  // namespace unianimate::family
