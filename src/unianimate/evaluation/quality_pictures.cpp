#include "unianimate/evaluation/quality_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <span>
#include <utility>

#include "unianimate/evaluation/enlarged.h"
#include "unianimate/evaluation/variant_report.h"
#include "unianimate/plot/line_chart.h"
#include "unianimate/plot/picture_sheet.h"

namespace unianimate::evaluation {

namespace {

constexpr int kLeastHeight = 150;  ///< of pictures on a sheet

/// A row whose first column is `first`, which may be empty.
plot::SheetRow row_of(std::string label, const Image& first, const std::vector<Image>& pictures) {
  plot::SheetRow row{std::move(label), {first.pixels.empty() ? Image() : enlarged(first, kLeastHeight)}};
  for (const Image& picture : pictures) row.pictures.push_back(enlarged(picture, kLeastHeight));
  return row;
}

/// The rows' measures over the parameter, in the order of its values.
class Sweep {
 public:
  Sweep(const ModelEvaluation& evaluation, const Parameter& parameter)
      : evaluation_(evaluation), parameter_(parameter) {
    for (const Setting& setting : evaluation.request.settings) {
      const double value = parameter.value(setting.request);
      least_ = std::min(least_, value);
      most_ = std::max(most_, value);
    }
  }

  [[nodiscard]] Image chart(const std::string& y_label, const std::function<double(const Quality&)>& measure) const {
    constexpr int kWidth = 600;
    constexpr int kHeight = 460;
    constexpr double kWideRange = 8;
    plot::LineChart chart;
    chart.x_label = parameter_.name;
    chart.y_label = y_label;
    chart.log_x = least_ > 0 && most_ / least_ >= kWideRange;
    chart.series = curves(measure);
    for (const QualityRow& row : evaluation_.baselines) {
      chart.series.push_back({row.name, {least_, most_}, {measure(row.mean), measure(row.mean)}});
    }
    return plot::draw_line_chart(chart, kWidth, kHeight);
  }

 private:
  [[nodiscard]] std::vector<plot::Series> curves(const std::function<double(const Quality&)>& measure) const {
    const std::vector<Setting>& settings = evaluation_.request.settings;
    std::vector<std::size_t> order(settings.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto value = [&](std::size_t i) { return parameter_.value(settings[i].request); };
    std::ranges::stable_sort(order, {}, value);
    std::vector<plot::Series> curves;
    for (const std::size_t i : order) {
      const std::string name = name_among(settings[i], settings, &parameter_);
      auto curve = std::ranges::find(curves, name, &plot::Series::name);
      if (curve == curves.end()) curve = curves.insert(curves.end(), {name, {}, {}});
      curve->x.push_back(value(i));
      curve->y.push_back(measure(evaluation_.rows[i].row.mean));
    }
    return curves;
  }

  const ModelEvaluation& evaluation_;
  const Parameter& parameter_;
  double least_ = std::numeric_limits<double>::infinity();
  double most_ = -std::numeric_limits<double>::infinity();
};

}  // namespace

Image quality_contact_sheet(const ModelEvaluation& evaluation) {
  plot::PictureSheet sheet;
  sheet.columns.emplace_back("reference");
  for (const std::int64_t frame : evaluation.shown.front().frames) {
    sheet.columns.push_back(fmt::format("frame {}", frame));
  }
  // As many rows as a picture can have, at least those of one person.
  constexpr std::size_t kMostPixels = 30'000;
  constexpr std::size_t kAround = 50;
  constexpr std::size_t kOtherRows = 3;
  const auto height = static_cast<std::size_t>(enlarged(evaluation.shown.front().truth.front(), kLeastHeight).height);
  const std::size_t room = std::max(kOtherRows + 1, kMostPixels / (height + kAround));
  const std::size_t settings = std::min(evaluation.rows.size(), room - kOtherRows);
  const std::size_t people =
      std::min(evaluation.shown.size(), std::max<std::size_t>(1, room / (settings + kOtherRows)));
  for (const ShownPerson& person : std::span(evaluation.shown).first(people)) {
    sheet.rows.push_back({fmt::format("Person {}", person.seed), {}});
    sheet.rows.push_back(row_of("poses", {}, person.poses));
    sheet.rows.push_back(row_of("truth", {}, person.truth));
    for (std::size_t i = 0; i < settings; ++i) {
      sheet.rows.push_back(row_of("result: " + evaluation.rows[i].row.name, person.references[i], person.results[i]));
    }
  }
  if (settings < evaluation.rows.size()) {
    sheet.rows.push_back(
        {fmt::format("{} more settings are only in the table", evaluation.rows.size() - settings), {}});
  }
  return plot::draw_picture_sheet(sheet);
}

std::vector<NamedPicture> quality_plots(const ModelEvaluation& evaluation) {
  std::vector<NamedPicture> plots;
  if (has_variants(evaluation)) {
    plots.push_back({"variants", variants_plot(evaluation)});
    return plots;
  }
  for (const Parameter& parameter : parameters()) {
    if (!parameter.counts_as_curve || count_values(parameter, evaluation.request.settings) < 2) continue;
    const Sweep sweep(evaluation, parameter);
    std::string name(parameter.name);
    std::ranges::replace(name, ' ', '_');
    plots.push_back({name, concatenate_columns(
                               std::array{sweep.chart("PSNR, dB", [](const Quality& quality) { return quality.psnr; }),
                                          sweep.chart("PSNR within the figure, dB",
                                                      [](const Quality& quality) {
                                                        return quality.figure_psnr.value_or(
                                                            std::numeric_limits<double>::quiet_NaN());
                                                      }),
                                          sweep.chart("SSIM", [](const Quality& quality) { return quality.ssim; })})});
  }
  return plots;
}

}  // namespace unianimate::evaluation
