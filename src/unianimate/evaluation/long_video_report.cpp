#include "unianimate/evaluation/long_video_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "unianimate/core/written_mark.h"
#include "unianimate/evaluation/markdown_table.h"
#include "unianimate/plot/line_chart.h"

namespace unianimate::evaluation {

namespace {

using nlohmann::ordered_json;

constexpr const char* kLongVideoExplanation =
    R"(PSNR and figure PSNR (within the person's outline) are in dB. d is the mean absolute error of the change from one
frame to the next, in 8-bit levels: at borders, where the two frames do not come from the same windows of the last
step, and inside, everywhere else. Seam is their ratio: 1 where borders cannot be told from the rest. Colour is the mean
absolute difference of the frames' mean colour from the true one over the first and the last tenth of the video, in
8-bit levels; drift is how far the signed difference moves between the two. Seconds are for one video.
)";

constexpr double kLevels = 255;

/// Settings of one combination of conditions and steps.
struct Group {
  std::string name;   ///< "reference-4-steps"
  std::string title;  ///< "reference, 4 steps"
  std::vector<std::size_t> rows;
};

std::vector<Group> groups_of(const LongVideoRequest& request) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < request.strategies.size(); ++i) {
    const Setting& setting = request.videos.settings[i];
    const std::string name = fmt::format("{}-{}-steps", setting.conditions, setting.request.sampling.steps);
    auto group = std::ranges::find(groups, name, &Group::name);
    if (group == groups.end()) {
      const std::string title = fmt::format("{}, steps: {}", setting.conditions, setting.request.sampling.steps);
      group = groups.insert(groups.end(), {name, title, {}});
    }
    group->rows.push_back(i);
  }
  return groups;
}

/// Gives a curve of the row's mean and, for each of its points, where it stands.
using CurveOf = std::function<plot::Series(const LongVideoRow& row, std::string name)>;

Image charts(const LongVideoEvaluation& evaluation, const Group& group, const std::string& x_label,
             const std::string& y_label, const CurveOf& curve) {
  constexpr int kWidth = 800;
  constexpr int kHeight = 520;
  plot::LineChart windows{group.title + ": windows", x_label, y_label, false, false, {}};
  plot::LineChart segments{group.title + ": chained segments", x_label, y_label, false, false, {}};
  for (const std::size_t i : group.rows) {
    const LongVideoStrategy& strategy = evaluation.request.strategies[i];
    (strategy.chain ? segments : windows).series.push_back(curve(evaluation.rows[i], strategy.name));
  }
  std::vector<Image> pictures;
  for (const plot::LineChart* chart : {&windows, &segments}) {
    if (!chart->series.empty()) pictures.push_back(plot::draw_line_chart(*chart, kWidth, kHeight));
  }
  return concatenate_columns(pictures);
}

plot::Series seam_curve(const LongVideoRow& row, std::string name) {
  const std::vector<double>& errors = row.mean.seams.from_start;
  plot::Series series{std::move(name), {}, {}};
  const std::size_t middle = errors.size() / 2;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    series.x.push_back(static_cast<double>(i) - static_cast<double>(middle));
    series.y.push_back(kLevels * errors[i]);
  }
  return series;
}

CurveOf curve_over_time(std::int64_t frames, std::vector<double> Drift::*curve) {
  return [frames, curve](const LongVideoRow& row, std::string name) {
    const std::vector<double>& values = row.mean.drift.*curve;
    plot::Series series{std::move(name), {}, values};
    for (std::size_t i = 0; i < values.size(); ++i) {
      series.x.push_back(static_cast<double>(frames) * (static_cast<double>(i) + 0.5) /
                         static_cast<double>(values.size()));
    }
    return series;
  };
}

ordered_json json_of(const LongVideoMeasures& measures) {
  const Seams& seams = measures.seams;
  const Drift& drift = measures.drift;
  ordered_json json{{"psnr", measures.quality.psnr},
                    {"ssim", measures.quality.ssim},
                    {"figure_psnr", nullptr},
                    {"l1", measures.quality.mean_absolute_error},
                    {"consistency", measures.quality.consistency_error},
                    {"seams",
                     {{"borders", seams.borders},
                      {"border_error", seams.border_error},
                      {"inside_error", seams.inside_error},
                      {"ratio", nullptr},
                      {"from_start", seams.from_start}}},
                    {"drift",
                     {{"drift", drift.drift},
                      {"first", drift.first},
                      {"last", drift.last},
                      {"first_absolute", drift.first_absolute},
                      {"last_absolute", drift.last_absolute},
                      {"first_psnr", drift.first_psnr},
                      {"last_psnr", drift.last_psnr},
                      {"difference", drift.difference},
                      {"error", drift.error}}}};
  if (measures.quality.figure_psnr) json["figure_psnr"] = *measures.quality.figure_psnr;
  if (const auto ratio = seams.ratio()) json["seams"]["ratio"] = *ratio;
  return json;
}

ordered_json json_of(const LongVideoRow& row) {
  ordered_json people = ordered_json::array();
  for (const LongVideo& video : row.people) {
    ordered_json& entry = people.emplace_back(ordered_json{{"seed", video.seed}, {"seconds", video.seconds}});
    entry.update(json_of(video.measures));
  }
  ordered_json json = json_of(row.mean);
  json["people"] = std::move(people);
  return json;
}

std::string optional_text(const std::optional<double>& number) {
  return number ? fmt::format("{:.2f}", *number) : "";
}

}  // namespace

std::string long_video_table(const LongVideoEvaluation& evaluation) {
  TableRow head{"strategy", "conditions", "steps"};
  const std::vector<Choice> unusual = unusual_choices(evaluation.request.videos.settings);
  for (const Choice& choice : unusual) head.emplace_back(choice.name);
  for (const char* title : {"PSNR", "SSIM", "figure PSNR", "d inside", "d at borders", "seam", "colour first",
                            "colour last", "drift", "PSNR first", "PSNR last", "UNet calls", "s per video"}) {
    head.emplace_back(title);
  }
  std::vector<TableRow> table{head};
  for (std::size_t i = 0; i < evaluation.rows.size(); ++i) {
    const LongVideoRow& row = evaluation.rows[i];
    const Setting& setting = evaluation.request.videos.settings[i];
    const auto& [quality, seams, drift] = row.mean;
    TableRow& line = table.emplace_back(TableRow{evaluation.request.strategies[i].name, setting.conditions,
                                                 fmt::to_string(setting.request.sampling.steps)});
    for (const Choice& choice : unusual) line.emplace_back(choice.word(setting.request));
    for (const std::string& number :
         {fmt::format("{:.2f}", quality.psnr), fmt::format("{:.4f}", quality.ssim), optional_text(quality.figure_psnr),
          fmt::format("{:.2f}", kLevels * seams.inside_error),
          seams.borders > 0 ? fmt::format("{:.2f}", kLevels * seams.border_error) : "", optional_text(seams.ratio()),
          fmt::format("{:.2f}", drift.first_absolute), fmt::format("{:.2f}", drift.last_absolute),
          fmt::format("{:.2f}", drift.drift), fmt::format("{:.2f}", drift.first_psnr),
          fmt::format("{:.2f}", drift.last_psnr), fmt::to_string(row.unet_calls),
          fmt::format("{:.1f}", row.seconds_per_video)}) {
      line.push_back(number);
    }
  }
  return markdown_table(table);
}

std::string long_video_markdown(const LongVideoEvaluation& evaluation) {
  const ModelEvaluationRequest& videos = evaluation.request.videos;
  const puppet::ClipOptions& clip = videos.clip;
  const diffusion::ContextWindowOptions& context = videos.settings.front().request.context;
  return fmt::format(
      "{}# Measured long videos\n\n"
      "{} procedural people ({} to {}), motion: {}, {} frames of {}x{} at {:g} a second, windows of {} frames that "
      "share "
      "at least {}, computed with {} in {}.\n\n{}\n{}",
      kMarkdownMark, videos.people.count(), videos.people.first, videos.people.last, puppet::motion_name(clip.motion),
      clip.frames, clip.width, clip.height, clip.frames_per_second, context.size, context.overlap,
      evaluation.compute.device.str(), dtype_name(evaluation.compute), long_video_table(evaluation),
      kLongVideoExplanation);
}

ordered_json long_video_json(const LongVideoEvaluation& evaluation) {
  const ModelEvaluationRequest& videos = evaluation.request.videos;
  const puppet::ClipOptions& clip = videos.clip;
  ordered_json rows = ordered_json::array();
  for (std::size_t i = 0; i < evaluation.rows.size(); ++i) {
    const Setting& setting = videos.settings[i];
    ordered_json& row = rows.emplace_back(ordered_json{{"strategy", evaluation.request.strategies[i].name},
                                                       {"conditions", setting.conditions},
                                                       {"steps", setting.request.sampling.steps},
                                                       {"context_size", setting.request.context.size},
                                                       {"context_overlap", setting.request.context.overlap},
                                                       {"carry_state", setting.request.context.carry_state},
                                                       {"preset", fields::word(setting.request.preset)},
                                                       {"decoder", fields::word(setting.request.decoder)},
                                                       {"unet_calls_per_video", evaluation.rows[i].unet_calls},
                                                       {"seconds_per_video", evaluation.rows[i].seconds_per_video}});
    row.update(json_of(evaluation.rows[i]));
  }
  return {{kJsonMarkField, kMark},
          {"first_person", videos.people.first},
          {"last_person", videos.people.last},
          {"motion", puppet::motion_name(clip.motion)},
          {"frames", clip.frames},
          {"width", clip.width},
          {"height", clip.height},
          {"frames_per_second", clip.frames_per_second},
          {"device", evaluation.compute.device.str()},
          {"dtype", dtype_name(evaluation.compute)},
          {"rows", std::move(rows)}};
}

std::vector<NamedPicture> long_video_plots(const LongVideoEvaluation& evaluation) {
  const std::int64_t frames = evaluation.request.videos.clip.frames;
  std::vector<NamedPicture> plots;
  for (const Group& group : groups_of(evaluation.request)) {
    const auto add = [&](const char* name, const std::string& x_label, const std::string& y_label,
                         const CurveOf& curve) {
      plots.push_back({fmt::format("{}-{}", name, group.name), charts(evaluation, group, x_label, y_label, curve)});
    };
    add("seams", "frames from the start of a window", "error of the change to this frame, 8-bit levels", seam_curve);
    add("brightness", "frame", "mean difference from the truth, 8-bit levels",
        curve_over_time(frames, &Drift::difference));
    add("colour", "frame", "mean absolute difference of colour, 8-bit levels", curve_over_time(frames, &Drift::error));
  }
  return plots;
}

}  // namespace unianimate::evaluation
