#include "unianimate/pose/detect/detector.h"

#include <fmt/format.h>

#include <cstdlib>

#include "unianimate/core/content_hash.h"
#include "unianimate/core/error.h"
#include "unianimate/core/threads.h"
#include "unianimate/pose/detect/blazepose/blazepose_detector.h"
#include "unianimate/pose/detect/dwpose/dwpose_detector.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

fs::path blazepose_folder(const DetectorOptions& options) {
  if (!options.blazepose_folder.empty()) return options.blazepose_folder;
  const char* const from_environment = std::getenv("UNIANIMATE_BLAZEPOSE");
  return from_environment != nullptr && *from_environment != '\0' ? from_environment : UNIANIMATE_BLAZEPOSE_DIR;
}

bool has_dwpose(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / kYoloxFile, ignored) && fs::is_regular_file(folder / kWholeBodyFile, ignored);
}

bool chooses_dwpose(const DetectorOptions& options) {
  return options.choice == DetectorChoice::kDwpose ||
         (options.choice == DetectorChoice::kAuto && has_dwpose(options.dwpose_folder));
}

}  // namespace

std::string detector_identity(const DetectorOptions& options) {
  if (!chooses_dwpose(options)) return "blazepose 2 " + blazepose_folder(options).string();
  if (!has_dwpose(options.dwpose_folder)) return "dwpose";
  return "dwpose 1 " + content_hash(options.dwpose_folder / kYoloxFile) +
         content_hash(options.dwpose_folder / kWholeBodyFile);
}

ChosenDetector make_detector(const DetectorOptions& options) {
  const int threads = thread_count(options.threads);
  const std::string folder = printable(options.dwpose_folder.string());
  if (chooses_dwpose(options)) {
    if (!has_dwpose(options.dwpose_folder)) {
      throw Error(ErrorKind::kInput,
                  "DWPose needs {} and {} in the folder {}; put them there or use the embedded detector", kYoloxFile,
                  kWholeBodyFile, folder);
    }
    return {load_dwpose(options.dwpose_folder, threads), fmt::format("poses by DWPose from {}", folder)};
  }
  const std::string why = options.choice == DetectorChoice::kBlazepose
                              ? "as asked for"
                              : fmt::format("because {} holds no {} and {}", folder, kYoloxFile, kWholeBodyFile);
  return {load_blazepose(blazepose_folder(options), threads), "poses by the embedded BlazePose, " + why};
}

ChosenDetector KeptDetector::get(const DetectorOptions& options, const std::function<void()>& loading) {
  const std::string wanted = key(options);
  const std::lock_guard lock(mutex_);
  if (wanted != key_) {
    if (loading) loading();
    // Never two at once.
    key_.clear();
    chosen_ = {};
    chosen_ = make_detector(options);
    key_ = wanted;
  }
  return chosen_;
}

/// All that its networks, and the sentence on them, depend on.
std::string KeptDetector::key(const DetectorOptions& options) {
  return fmt::format("{} {} {} {}", detector_identity(options), options.dwpose_folder.string(),
                     static_cast<int>(options.choice), thread_count(options.threads));
}

}  // namespace unianimate::pose
