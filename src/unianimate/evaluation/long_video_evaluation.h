// Which way of making long videos keeps nearest to the truth, on procedural people.
#pragma once

#include <vector>

#include "unianimate/evaluation/long_video_measures.h"
#include "unianimate/evaluation/long_video_strategy.h"
#include "unianimate/evaluation/model_evaluation.h"

namespace unianimate::evaluation {

struct LongVideoRequest {
  /// People, clips and, for each combination with a strategy, a setting.
  ModelEvaluationRequest videos;
  std::vector<LongVideoStrategy> strategies;  ///< that of each of videos.settings, whose request it has been applied to

  /// Throws as ModelEvaluationRequest::check() does.
  void check() const { videos.check(); }
};

struct LongVideo {
  std::uint64_t seed = 0;
  LongVideoMeasures measures;
  double seconds = 0;  ///< without comparing
};

/// What came of one setting.
struct LongVideoRow {
  std::vector<LongVideo> people;
  LongVideoMeasures mean;
  double seconds_per_video = 0;  ///< mean
  std::int64_t unet_calls = 0;   ///< for each video
};

struct LongVideoEvaluation {
  LongVideoRequest request;
  Compute compute;
  std::vector<LongVideoRow> rows;  ///< one for each setting
};

/// Makes every person's video with every setting as evaluate_model() does, and compares each frame as soon as it is
/// made, so that memory does not grow with the length. Phase: "animate people", whose steps are calls of the UNet.
/// Throws Error of every kind.
LongVideoEvaluation evaluate_long_videos(const LongVideoRequest& request, family::Family& family, Progress& progress);

}  // namespace unianimate::evaluation
