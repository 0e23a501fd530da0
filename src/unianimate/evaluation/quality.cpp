#include "unianimate/evaluation/quality.h"

#include <fmt/format.h>

#include <algorithm>

namespace unianimate::evaluation {

std::string figure_psnr_text(const Quality& quality) {
  return quality.figure_psnr ? fmt::format("{:.2f}", *quality.figure_psnr) : "";
}

Quality mean_of(std::span<const Quality> videos) {
  Quality mean;
  if (videos.empty()) return mean;
  double figure_psnr = 0;
  double with_figure = 0;
  for (const Quality& video : videos) {
    mean.psnr += video.psnr;
    mean.ssim += video.ssim;
    mean.mean_absolute_error += video.mean_absolute_error;
    mean.consistency_error += video.consistency_error;
    if (!video.figure_psnr) continue;
    figure_psnr += *video.figure_psnr;
    ++with_figure;
  }
  const auto count = static_cast<double>(videos.size());
  mean.psnr /= count;
  mean.ssim /= count;
  mean.mean_absolute_error /= count;
  mean.consistency_error /= count;
  if (with_figure > 0) mean.figure_psnr = figure_psnr / with_figure;
  return mean;
}

void QualityMeter::add(const Image& made, const Image& truth, const std::vector<std::uint8_t>& figure) {
  psnr_ += std::min(kEqualPsnr, psnr(made, truth));
  ssim_ += ssim(made, truth);
  mean_absolute_error_ += mean_absolute_error(made, truth);
  consistency_.add(made, truth);
  ++frames_;
  if (std::ranges::all_of(figure, [](std::uint8_t value) { return value == 0; })) return;
  figure_psnr_ += std::min(kEqualPsnr, masked_psnr(made, truth, figure));
  ++frames_with_figure_;
}

Quality QualityMeter::quality() const {
  if (frames_ == 0) return {};
  const auto frames = static_cast<double>(frames_);
  Quality quality{psnr_ / frames, ssim_ / frames, mean_absolute_error_ / frames, std::nullopt, consistency_.error()};
  if (frames_with_figure_ > 0) quality.figure_psnr = figure_psnr_ / static_cast<double>(frames_with_figure_);
  return quality;
}

}  // namespace unianimate::evaluation
