// A folder of aligned pose pictures, as the published pose tool leaves it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace unianimate::pipeline {

struct PoseFolder {
  std::filesystem::path reference_pose;      ///< ref_pose.jpg, the reference's own pose
  std::vector<std::filesystem::path> poses;  ///< the other pictures, sorted by name
};

/// Lists the folder and reads every picture's header. Pictures are the files ending in .jpg, .jpeg, .png or .webp (in
/// any case) whose names do not start with a dot; everything else in the folder is left alone. Throws Error(kInput)
/// where it is no folder, ref_pose.jpg (or another of those suffixes) is missing or there are two of it, there is no
/// pose, a file is not a picture, or the pictures' sizes differ; Error(kEnvironment) where the folder cannot be read.
PoseFolder open_pose_folder(const std::filesystem::path& folder);

/// Which poses become frames.
struct PoseSelection {
  std::vector<std::int64_t> indices;  ///< into PoseFolder::poses, one for each frame to make
  std::int64_t frame_interval = 1;    ///< the interval used, which may be smaller than asked for
  std::string note;                   ///< what was adjusted and why; empty where nothing was
};

/// frame_interval k takes poses 0, k, 2k, …; `max_frames` of them, or all there are. With fewer than k·(max_frames−1)+1
/// poses, k becomes max(1, (count−1) div (max_frames−1)); where that is still not enough, as many as there are.
/// Throws Error(kUsage) unless all three are at least 1.
PoseSelection select_poses(std::int64_t count, std::int64_t frame_interval, std::optional<std::int64_t> max_frames);

}  // namespace unianimate::pipeline
