#include "unianimate/evaluation/long_video_measures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "unianimate/evaluation/metrics.h"

namespace unianimate::evaluation {

namespace {

constexpr std::size_t kMostParts = 50;
constexpr std::size_t kShareOfEnds = 10;

/// NaN where nothing was added.
class Mean {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  [[nodiscard]] double value() const {
    return count_ > 0 ? sum_ / static_cast<double>(count_) : std::numeric_limits<double>::quiet_NaN();
  }
  [[nodiscard]] std::int64_t count() const { return count_; }

 private:
  double sum_ = 0;
  std::int64_t count_ = 0;
};

template <typename Value>
double mean_over(std::size_t begin, std::size_t end, const Value& value) {
  Mean mean;
  for (std::size_t i = begin; i < end; ++i) mean.add(value(i));
  return mean.value();
}

Drift::Channels mean_colour(const Image& image) {
  Drift::Channels mean{};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) mean[i % Image::kChannels] += image.pixels[i];
  const std::size_t pixels = image.pixels.size() / Image::kChannels;
  for (double& channel : mean) channel /= static_cast<double>(pixels);
  return mean;
}

double mean_over_channels(const Drift::Channels& channels, double (*value)(double)) {
  return mean_over(0, channels.size(), [&](std::size_t k) { return value(channels[k]); });
}

double itself(double value) {
  return value;
}

double magnitude(double value) {
  return std::abs(value);
}

/// Curves of equal length.
template <typename Curve>
std::vector<double> mean_curve(std::span<const LongVideoMeasures> videos, const Curve& curve) {
  std::vector<double> mean(curve(videos.front()).size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    mean[i] = mean_over(0, videos.size(), [&](std::size_t v) { return curve(videos[v])[i]; });
  }
  return mean;
}

}  // namespace

std::optional<double> Seams::ratio() const {
  return borders > 0 && inside_error > 0 ? std::optional(border_error / inside_error) : std::nullopt;
}

LongVideoMeasures mean_of(std::span<const LongVideoMeasures> videos) {
  const auto mean = [&](const auto& value) {
    return mean_over(0, videos.size(), [&](std::size_t i) { return value(videos[i]); });
  };
  std::vector<Quality> qualities;
  for (const LongVideoMeasures& video : videos) qualities.push_back(video.quality);
  LongVideoMeasures result;
  result.quality = mean_of(qualities);
  result.seams.border_error = mean([](const auto& video) { return video.seams.border_error; });
  result.seams.inside_error = mean([](const auto& video) { return video.seams.inside_error; });
  result.seams.borders = videos.front().seams.borders;
  result.seams.from_start = mean_curve(videos, [](const auto& video) { return video.seams.from_start; });
  for (std::size_t k = 0; k < Image::kChannels; ++k) {
    result.drift.first[k] = mean([&](const auto& video) { return video.drift.first[k]; });
    result.drift.last[k] = mean([&](const auto& video) { return video.drift.last[k]; });
  }
  result.drift.first_absolute = mean([](const auto& video) { return video.drift.first_absolute; });
  result.drift.last_absolute = mean([](const auto& video) { return video.drift.last_absolute; });
  result.drift.drift = mean([](const auto& video) { return video.drift.drift; });
  result.drift.first_psnr = mean([](const auto& video) { return video.drift.first_psnr; });
  result.drift.last_psnr = mean([](const auto& video) { return video.drift.last_psnr; });
  result.drift.difference = mean_curve(videos, [](const auto& video) { return video.drift.difference; });
  result.drift.error = mean_curve(videos, [](const auto& video) { return video.drift.error; });
  return result;
}

LongVideoMeter::LongVideoMeter(std::vector<diffusion::ContextWindow> windows, std::int64_t around)
    : windows_(std::move(windows)), around_(around) {}

void LongVideoMeter::add(const Image& made, const Image& truth, const std::vector<std::uint8_t>& figure) {
  quality_.add(made, truth, figure);
  psnrs_.push_back(std::min(kEqualPsnr, psnr(made, truth)));
  const Drift::Channels a = mean_colour(made);
  const Drift::Channels b = mean_colour(truth);
  Drift::Channels& difference = colour_differences_.emplace_back();
  for (std::size_t k = 0; k < difference.size(); ++k) difference[k] = a[k] - b[k];
  if (frames() > 1) change_errors_.push_back(change_error(last_made_, made, last_truth_, truth));
  last_made_ = made;
  last_truth_ = truth;
}

LongVideoMeasures LongVideoMeter::measures() const {
  return {quality_.quality(), seams(), drift()};
}

Seams LongVideoMeter::seams() const {
  const auto changes = static_cast<std::int64_t>(change_errors_.size());
  std::vector<bool> is_border(change_errors_.size());
  for (const diffusion::ContextWindow& window : windows_) {
    for (const std::int64_t edge : {window.first, window.end()}) {
      if (edge > 0 && edge <= changes) is_border[static_cast<std::size_t>(edge - 1)] = true;
    }
  }
  Mean border;
  Mean inside;
  for (std::size_t t = 0; t < change_errors_.size(); ++t) (is_border[t] ? border : inside).add(change_errors_[t]);

  Seams seams;
  seams.borders = border.count();
  if (border.count() > 0) seams.border_error = border.value();
  if (inside.count() > 0) seams.inside_error = inside.value();
  for (std::int64_t offset = -around_; offset <= around_; ++offset) {
    Mean mean;
    for (const diffusion::ContextWindow& window : windows_) {
      const std::int64_t t = window.first - 1 + offset;
      if (window.first > 0 && t >= 0 && t < changes) mean.add(change_errors_[static_cast<std::size_t>(t)]);
    }
    seams.from_start.push_back(mean.value());
  }
  return seams;
}

Drift LongVideoMeter::drift() const {
  const std::size_t count = colour_differences_.size();
  const std::size_t ends = std::max<std::size_t>(1, count / kShareOfEnds);
  const auto colour = [&](double (*value)(double)) {
    return [this, value](std::size_t t) { return mean_over_channels(colour_differences_[t], value); };
  };
  const auto psnr_of = [&](std::size_t t) { return psnrs_[t]; };
  Drift drift;
  for (std::size_t k = 0; k < Image::kChannels; ++k) {
    const auto channel = [&](std::size_t t) { return colour_differences_[t][k]; };
    drift.first[k] = mean_over(0, ends, channel);
    drift.last[k] = mean_over(count - ends, count, channel);
    drift.drift += std::abs(drift.last[k] - drift.first[k]) / Image::kChannels;
  }
  drift.first_absolute = mean_over(0, ends, colour(magnitude));
  drift.last_absolute = mean_over(count - ends, count, colour(magnitude));
  drift.first_psnr = mean_over(0, ends, psnr_of);
  drift.last_psnr = mean_over(count - ends, count, psnr_of);
  const std::size_t parts = std::min(count, kMostParts);
  for (std::size_t i = 0; i < parts; ++i) {
    drift.difference.push_back(mean_over(count * i / parts, count * (i + 1) / parts, colour(itself)));
    drift.error.push_back(mean_over(count * i / parts, count * (i + 1) / parts, colour(magnitude)));
  }
  return drift;
}

}  // namespace unianimate::evaluation
