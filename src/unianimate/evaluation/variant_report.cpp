#include "unianimate/evaluation/variant_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "unianimate/evaluation/markdown_table.h"
#include "unianimate/plot/line_chart.h"

namespace unianimate::evaluation {

namespace {

/// A setting beside the one that it is compared with.
struct Comparison {
  const SettingRow* row;
  const SettingRow* first;

  [[nodiscard]] double times_less_work() const { return first->pass_equivalents / row->pass_equivalents; }
  [[nodiscard]] double psnr() const { return row->against.mean.psnr; }
};

std::vector<Comparison> comparisons(const ModelEvaluation& evaluation) {
  std::vector<Comparison> all;
  for (std::size_t i = 0; i < evaluation.rows.size(); ++i) {
    const auto other = evaluation.request.settings[i].compared_with;
    if (other) all.push_back({&evaluation.rows[i], &evaluation.rows[*other]});
  }
  return all;
}

double worst_psnr(const QualityRow& row) {
  double worst = std::numeric_limits<double>::infinity();
  for (const PersonQuality& person : row.people) worst = std::min(worst, person.quality.psnr);
  return worst;
}

TableRow line_of(const Comparison& one) {
  const SettingRow& row = *one.row;
  const Quality& distance = row.against.mean;
  const std::optional<double> latents = row.against.latent_distance();
  return {row.row.name,
          fmt::format("{:.1f}", row.pass_equivalents),
          fmt::format("{:.2f}", one.times_less_work()),
          fmt::format("{:.2f}", one.first->seconds_per_video / row.seconds_per_video),
          latents ? fmt::format("{:.4f}", *latents) : "",
          fmt::format("{:.2f}", distance.psnr),
          fmt::format("{:.2f}", worst_psnr(row.against)),
          fmt::format("{:.4f}", distance.ssim),
          figure_psnr_text(distance),
          fmt::format("{:.4f}", distance.consistency_error),
          fmt::format("{:+.2f}", row.row.mean.psnr - one.first->row.mean.psnr)};
}

/// Those than which none is as near for less work, the least work saved first.
std::vector<Comparison> pareto_front(std::vector<Comparison> all) {
  std::ranges::sort(all, std::ranges::greater(),
                    [](const Comparison& one) { return std::pair(one.times_less_work(), one.psnr()); });
  std::vector<Comparison> front;
  for (const Comparison& one : all) {
    if (front.empty() || one.psnr() > front.back().psnr()) front.push_back(one);
  }
  std::ranges::reverse(front);
  return front;
}

}  // namespace

bool has_variants(const ModelEvaluation& evaluation) {
  return !comparisons(evaluation).empty();
}

std::string variants_table(const ModelEvaluation& evaluation) {
  std::vector<TableRow> table{{"setting", "work, whole passes", "times less work", "times as fast",
                               "distance of latents", "PSNR to the first", "worst person", "SSIM", "figure PSNR",
                               "consistency", "nearer to the truth, dB"}};
  for (const Comparison& one : comparisons(evaluation)) table.push_back(line_of(one));
  return markdown_table(table);
}

Image variants_plot(const ModelEvaluation& evaluation) {
  const std::vector<Comparison> all = comparisons(evaluation);
  plot::LineChart chart;
  chart.title = "Near to " + all.front().row->against.name;
  chart.x_label = "times less work";
  chart.y_label = "PSNR to its videos, dB";
  plot::Series front{"Pareto front", {}, {}};
  for (const Comparison& one : pareto_front(all)) {
    front.x.push_back(one.times_less_work());
    front.y.push_back(one.psnr());
  }
  chart.series.push_back(std::move(front));
  for (const Comparison& one : all) {
    chart.series.push_back({one.row->row.name, {one.times_less_work()}, {one.psnr()}});
  }
  constexpr int kHeight = 720;
  return plot::draw_line_chart(chart, plot::kChartWidth, kHeight);
}

}  // namespace unianimate::evaluation
