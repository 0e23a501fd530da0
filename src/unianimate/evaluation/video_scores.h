// All measures of videos that were made and are known, one video or many, and their report.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/evaluation/networks/perceptual_meter.h"
#include "unianimate/evaluation/video_comparison.h"
#include "unianimate/evaluation/video_pairs.h"

namespace unianimate::evaluation {

struct VideoScore {
  std::string name;
  VideoComparison comparison;
  Similarity similarity;
};

struct VideoScores {
  std::vector<VideoScore> videos;
  std::int64_t frames = 0;
  Quality quality;        ///< means over the frames of all videos
  Similarity similarity;  ///< likewise
  std::optional<double> fid;
  std::optional<double> fvd;
  std::int64_t clips = 0;  ///< that FVD is over, on either side
  std::vector<NotMeasured> not_measured;
};

/// Opens a video, or a folder of pictures as one.
using OpenVideo = std::function<std::unique_ptr<FrameSource>(const std::filesystem::path& path)>;

/// Of one pair or more. Progress counts the videos, or the frames of a single one. Throws as compare_videos() and
/// PerceptualMeter do, what `open` throws, and Error(kCancelled).
VideoScores score_videos(const std::vector<VideoPair>& pairs, const MetricNetworks& networks, const OpenVideo& open,
                         Progress& progress, int clip_stride = PerceptualMeter::kClipFrames);

/// A table with a row for each video and one for all, and a sentence for each measure that is not there.
std::string scores_markdown(const VideoScores& scores);

/// "frames", "psnr", "ssim", "l1", "consistency", "lpips_alex", "lpips_vgg", "fid", "fvd" (null where not measured),
/// "clips", "not_measured" (a list of {"measure", "why"}), "lengths_differ" (of any video) and "videos" (a list, each
/// with "name" and those of the above that it has by itself).
nlohmann::ordered_json scores_json(const VideoScores& scores);

}  // namespace unianimate::evaluation
