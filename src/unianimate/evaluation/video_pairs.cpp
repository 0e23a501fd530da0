#include "unianimate/evaluation/video_pairs.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string_view>

#include "unianimate/core/error.h"
#include "unianimate/core/natural_order.h"
#include "unianimate/media/pictures/picture_names.h"

namespace unianimate::evaluation {

namespace fs = std::filesystem;

namespace {

bool is_named_as_video(const fs::path& path) {
  constexpr std::array<std::string_view, 7> kSuffixes{".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif"};
  std::string suffix = path.extension().string();
  std::ranges::transform(suffix, suffix.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(kSuffixes, suffix) != kSuffixes.end();
}

bool is_video(const fs::directory_entry& entry) {
  if (entry.path().filename().string().starts_with('.')) return false;
  std::error_code ignored;
  return entry.is_directory(ignored) || is_named_as_video(entry.path());
}

struct InNaturalOrder {
  bool operator()(const std::string& left, const std::string& right) const {
    return natural_less(left, right) || (!natural_less(right, left) && left < right);
  }
};
using VideosByName = std::map<std::string, fs::path, InNaturalOrder>;

VideosByName videos_in(const fs::path& folder) {
  VideosByName videos;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!is_video(entry)) continue;
    const fs::path& path = entry.path();
    const bool is_new =
        videos.try_emplace((entry.is_directory() ? path.filename() : path.stem()).string(), path).second;
    if (!is_new) {
      throw Error(ErrorKind::kInput, "{} holds two videos called {}; take one away", printable(folder.string()),
                  printable(path.stem().string()));
    }
  }
  // What is left beside a video that was made from a motion.
  for (const std::string_view ending : {"-poses", "-poses-report"}) {
    std::erase_if(videos, [&](const auto& video) {
      const std::string& name = video.first;
      return name.ends_with(ending) && videos.contains(name.substr(0, name.size() - ending.size()));
    });
  }
  return videos;
}

}  // namespace

bool holds_videos(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return false;
  bool videos = false;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (!entry.is_directory() && named_as(entry.path()) == NamedAs::kPicture) return false;
    videos = videos || is_video(entry);
  }
  return videos;
}

VideoPairs pair_videos(const fs::path& made, const fs::path& truth) {
  const VideosByName of_made = videos_in(made);
  VideosByName of_truth = videos_in(truth);
  VideoPairs result;
  for (const auto& [name, path] : of_made) {
    const auto partner = of_truth.find(name);
    if (partner == of_truth.end()) {
      result.unpaired.push_back(path.string());
      continue;
    }
    result.pairs.push_back({name, path, partner->second});
    of_truth.erase(partner);
  }
  for (const auto& [name, path] : of_truth) result.unpaired.push_back(path.string());
  if (result.pairs.empty()) {
    throw Error(ErrorKind::kInput, "{} and {} hold no videos of one name; a result is called as its truth",
                printable(made.string()), printable(truth.string()));
  }
  return result;
}

}  // namespace unianimate::evaluation
