#include "unianimate/evaluation/quality.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace unianimate::evaluation {

std::string figure_psnr_text(const Quality& quality) {
  return quality.figure_psnr ? fmt::format("{:.2f}", *quality.figure_psnr) : "";
}

std::string ratio_text(const std::optional<double>& ratio) {
  return ratio ? fmt::format("{:.3f}", *ratio) : "";
}

Quality mean_of(std::span<const Quality> videos) {
  constexpr std::array kNumbers{&Quality::psnr, &Quality::ssim, &Quality::mean_absolute_error,
                                &Quality::consistency_error};
  constexpr std::array kOptional{&Quality::figure_psnr, &Quality::sharpness, &Quality::movement};
  Quality mean;
  if (videos.empty()) return mean;
  for (const auto number : kNumbers) {
    for (const Quality& video : videos) mean.*number += video.*number;
    mean.*number /= static_cast<double>(videos.size());
  }
  for (const auto number : kOptional) {
    double sum = 0;
    double known = 0;
    for (const Quality& video : videos) {
      if (!(video.*number)) continue;
      sum += *(video.*number);
      ++known;
    }
    if (known > 0) mean.*number = sum / known;
  }
  return mean;
}

void QualityMeter::add(const Image& made, const Image& truth, const std::vector<std::uint8_t>& figure) {
  psnr_ += std::min(kEqualPsnr, psnr(made, truth));
  ssim_ += ssim(made, truth);
  mean_absolute_error_ += mean_absolute_error(made, truth);
  consistency_.add(made, truth);
  laplacians_ += laplacian_energy(made);
  true_laplacians_ += laplacian_energy(truth);
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
  if (true_laplacians_ > 0) quality.sharpness = laplacians_ / true_laplacians_;
  quality.movement = consistency_.movement();
  return quality;
}

}  // namespace unianimate::evaluation
