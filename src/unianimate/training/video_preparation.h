// From real videos to pictures of one person to train on: found, cut out and kept in a folder, once for each video.
#pragma once

#include <filesystem>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/pose/align/pose_source.h"
#include "unianimate/pose/align/tracking.h"
#include "unianimate/training/prepared_video.h"
#include "unianimate/training/video_segments.h"

namespace unianimate::training {

struct VideoPreparationOptions {
  /// Videos, folders of them (with the folders in those), or folders that hold nothing but the pictures of one video.
  std::vector<std::filesystem::path> paths;
  std::filesystem::path cache;  ///< folder for what was found and cut out
  SegmentOptions segments;
  pose::PersonChoice person;

  /// Throws Error(kUsage) that names the field.
  void check() const;
};

/// The videos of which something can be used, in an order that follows from their contents. In each the person is found
/// as in a motion to animate with, gaps of half a second are filled, and segments are cut out (see cut_video()). The
/// names of the files in the cache say of which content and with which settings they were made: what is there is used
/// again, damaged files are made again, and preparing can be stopped at any time and goes on with the video it was at.
///
/// A video that cannot be used is left out, and a note names it and why. Phases: "look at videos", those of
/// `poses`, "cut out people". Throws Error(kInput) where a path does not exist, no video is usable or a
/// detector is not, Error(kEnvironment) where the cache cannot be written, Error(kCancelled).
std::vector<PreparedVideo> prepare_videos(const VideoPreparationOptions& options, const pose::PoseSourceMaker& poses,
                                          Progress& progress);

}  // namespace unianimate::training
