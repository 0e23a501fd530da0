// Folders of videos, paired by name.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace unianimate::evaluation {

struct VideoPair {
  std::string name;  ///< without suffix
  std::filesystem::path made;
  std::filesystem::path truth;
};

struct VideoPairs {
  std::vector<VideoPair> pairs;       ///< in natural order of their names
  std::vector<std::string> unpaired;  ///< paths that have nobody of their name on the other side
};

/// Whether it is a folder with videos (.mp4, .m4v, .mov, .mkv, .webm, .avi, .gif) or folders in it, and no pictures,
/// which would make it a video itself.
bool holds_videos(const std::filesystem::path& path);

/// Of two folders that hold videos: those of one name without suffix, "dance.mp4" and "dance.mkv" or the folder
/// "dance/"; not the folders "dance-poses" and "dance-poses-report" beside it. Throws Error(kInput) where there are
/// none, or two of one name in one folder.
VideoPairs pair_videos(const std::filesystem::path& made, const std::filesystem::path& truth);

}  // namespace unianimate::evaluation
