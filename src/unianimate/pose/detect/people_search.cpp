#include "unianimate/pose/detect/people_search.h"

#include <chrono>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

#include "unianimate/core/content_hash.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/pose/detect/extraction.h"
#include "unianimate/pose/format/pose_json.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

/// Nothing where there is no file or it is of no use.
std::optional<PoseSequence> read_found(const fs::path& file, Progress& progress) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  try {
    Poses poses = read_poses(file);
    if (auto* detected = std::get_if<PoseSequence>(&poses)) return std::move(*detected);
  } catch (const Error& error) {
    progress.note(fmt::format("what was found earlier is looked for again: {}", error.what()));
  }
  return std::nullopt;
}

}  // namespace

const PoseDetector& LazyDetector::get() {
  if (!chosen_.detector) {
    const auto loading = [&] { progress_.begin_phase("load pose models", 0); };
    if (options_.kept) {
      chosen_ = options_.kept->get(options_, loading);
    } else {
      loading();
      chosen_ = make_detector(options_);
    }
    progress_.note(chosen_.reason);
  }
  return *chosen_.detector;
}

fs::path found_people_file(const fs::path& folder, const fs::path& video, const FrameSourceOptions& part,
                           const DetectorOptions& detector) {
  // Changes with which frames are read out of a file, and when they are shown.
  constexpr int kReading = 2;
  const std::string key = content_hash(video) + detector_identity(detector) +
                          fmt::format("{} {} {} {}", kReading, part.start_seconds, part.end_seconds.value_or(-1),
                                      part.folder_frames_per_second);
  return own_place(folder / fmt::format("detected-{:016x}.json", std::hash<std::string>()(key)));
}

FoundPeople find_people(FrameSource& source, const fs::path& video, const fs::path& file, LazyDetector& detector,
                        int threads, Progress& progress) {
  if (auto known = read_found(file, progress)) return {std::move(*known), true, 0};
  const PoseDetector& networks = detector.get();
  progress.begin_phase("find people", source.info().frame_count);
  const auto start = std::chrono::steady_clock::now();
  FoundPeople found{extract_poses(source, networks, threads, progress)};
  found.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!source.trouble().empty()) progress.note(fmt::format("{}: {}", printable(video.string()), source.trouble()));
  make_folder(file.parent_path());
  write_poses(file, found.everyone);
  return found;
}

}  // namespace unianimate::pose
