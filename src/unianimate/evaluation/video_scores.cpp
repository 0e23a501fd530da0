#include "unianimate/evaluation/video_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "unianimate/evaluation/markdown_table.h"

namespace unianimate::evaluation {

using nlohmann::ordered_json;

namespace {

/// Means over the frames of all, each video counting by its own.
void add_means(VideoScores& scores) {
  const auto mean = [&](const auto& value) {
    double sum = 0;
    for (const VideoScore& video : scores.videos) sum += value(video) * static_cast<double>(video.comparison.frames);
    return sum / static_cast<double>(scores.frames);
  };
  const auto mean_of_some = [&](std::optional<double> Similarity::*value) -> std::optional<double> {
    if (!(scores.videos.front().similarity.*value)) return std::nullopt;
    return mean([&](const VideoScore& video) { return *(video.similarity.*value); });
  };
  for (const VideoScore& video : scores.videos) scores.frames += video.comparison.frames;
  Quality& quality = scores.quality;
  quality.psnr = mean([](const VideoScore& video) { return video.comparison.quality.psnr; });
  quality.ssim = mean([](const VideoScore& video) { return video.comparison.quality.ssim; });
  quality.mean_absolute_error =
      mean([](const VideoScore& video) { return video.comparison.quality.mean_absolute_error; });
  quality.consistency_error = mean([](const VideoScore& video) { return video.comparison.quality.consistency_error; });
  scores.similarity = {mean_of_some(&Similarity::lpips_alex), mean_of_some(&Similarity::lpips_vgg)};
}

std::string number_or_dash(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "—";
}

TableRow row_of(std::string name, std::int64_t frames, const Quality& quality, const Similarity& similarity) {
  return {std::move(name),
          fmt::to_string(frames),
          fmt::format("{:.2f}", quality.psnr),
          fmt::format("{:.4f}", quality.ssim),
          fmt::format("{:.4f}", quality.mean_absolute_error),
          fmt::format("{:.4f}", quality.consistency_error),
          number_or_dash(similarity.lpips_alex, 4),
          number_or_dash(similarity.lpips_vgg, 4)};
}

ordered_json json_of_number(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json json_of_means(std::int64_t frames, const Quality& quality, const Similarity& similarity) {
  return {{"frames", frames},
          {"psnr", quality.psnr},
          {"ssim", quality.ssim},
          {"l1", quality.mean_absolute_error},
          {"consistency", quality.consistency_error},
          {"lpips_alex", json_of_number(similarity.lpips_alex)},
          {"lpips_vgg", json_of_number(similarity.lpips_vgg)}};
}

}  // namespace

VideoScores score_videos(const std::vector<VideoPair>& pairs, const MetricNetworks& networks, const OpenVideo& open,
                         Progress& progress, int clip_stride) {
  VideoScores scores;
  PerceptualMeter meter(networks, clip_stride);
  const bool many = pairs.size() > 1;
  if (many) progress.begin_phase("compare videos", static_cast<std::int64_t>(pairs.size()));
  for (const VideoPair& pair : pairs) {
    const std::unique_ptr<FrameSource> made = open(pair.made);
    const std::unique_ptr<FrameSource> truth = open(pair.truth);
    if (!many) progress.begin_phase("compare frames", std::min(made->info().frame_count, truth->info().frame_count));
    std::int64_t frames = 0;
    const VideoComparison comparison = compare_videos(*made, *truth, [&](const Image& a, const Image& b) {
      progress.throw_if_cancelled();
      meter.add(a, b);
      if (!many) progress.step(++frames);
    });
    scores.videos.push_back({pair.name, comparison, meter.end_video()});
    if (many) progress.step(static_cast<std::int64_t>(scores.videos.size()));
  }
  add_means(scores);
  scores.fid = meter.fid();
  scores.fvd = meter.fvd();
  scores.clips = meter.clips();
  scores.not_measured = networks.missing;
  if (networks.inception && !scores.fid) {
    scores.not_measured.push_back({"FID", "needs two frames or more on either side"});
  }
  if (networks.i3d && !scores.fvd) {
    scores.not_measured.push_back({"FVD", fmt::format("needs two clips of {} frames or more on either side, found {}",
                                                      PerceptualMeter::kClipFrames, scores.clips)});
  }
  return scores;
}

std::string scores_markdown(const VideoScores& scores) {
  std::vector<TableRow> table{
      {"video", "frames", "PSNR", "SSIM", "L1", "consistency", "LPIPS (AlexNet)", "LPIPS (VGG)", "FID", "FVD"}};
  if (scores.videos.size() > 1) {
    for (const VideoScore& video : scores.videos) {
      TableRow& row =
          table.emplace_back(row_of(video.name, video.comparison.frames, video.comparison.quality, video.similarity));
      row.resize(table.front().size());
    }
  }
  TableRow& all = table.emplace_back(row_of(scores.videos.size() > 1 ? "all" : scores.videos.front().name,
                                            scores.frames, scores.quality, scores.similarity));
  all.push_back(number_or_dash(scores.fid, 2));
  all.push_back(number_or_dash(scores.fvd, 2));
  std::string text = markdown_table(table);
  for (const VideoScore& video : scores.videos) {
    if (video.comparison.lengths_differ) {
      text += fmt::format("\n{}: the frames of the shorter one are compared; the other is longer\n", video.name);
    }
  }
  for (const NotMeasured& missing : scores.not_measured) {
    text += fmt::format("\n{} is not measured: {}\n", missing.measure, missing.why);
  }
  return text;
}

ordered_json scores_json(const VideoScores& scores) {
  ordered_json json = json_of_means(scores.frames, scores.quality, scores.similarity);
  json["fid"] = json_of_number(scores.fid);
  json["fvd"] = json_of_number(scores.fvd);
  json["clips"] = scores.clips;
  json["lengths_differ"] =
      std::ranges::any_of(scores.videos, [](const VideoScore& video) { return video.comparison.lengths_differ; });
  ordered_json& missing = json["not_measured"] = ordered_json::array();
  for (const NotMeasured& measure : scores.not_measured) {
    missing.push_back({{"measure", measure.measure}, {"why", measure.why}});
  }
  ordered_json& videos = json["videos"] = ordered_json::array();
  for (const VideoScore& video : scores.videos) {
    ordered_json& entry = videos.emplace_back(ordered_json{{"name", video.name}});
    entry.update(json_of_means(video.comparison.frames, video.comparison.quality, video.similarity));
    entry["lengths_differ"] = video.comparison.lengths_differ;
  }
  return json;
}

}  // namespace unianimate::evaluation
