// A long-video evaluation as text and pictures.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "unianimate/evaluation/long_video_evaluation.h"
#include "unianimate/evaluation/quality_pictures.h"

namespace unianimate::evaluation {

/// A Markdown table of means, one row for each setting.
std::string long_video_table(const LongVideoEvaluation& evaluation);

/// long_videos.md: what was measured, the table, and what its columns mean.
std::string long_video_markdown(const LongVideoEvaluation& evaluation);

/// long_videos.json: all means, curves, and every person.
nlohmann::ordered_json long_video_json(const LongVideoEvaluation& evaluation);

/// For each combination of conditions and steps "seams-…" (the error of changes around the starts of windows),
/// "brightness-…" and "colour-…" (how colours differ over time): windows and chained segments beside each other.
std::vector<NamedPicture> long_video_plots(const LongVideoEvaluation& evaluation);

}  // namespace unianimate::evaluation
