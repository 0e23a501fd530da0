#include "unianimate/pose/report/alignment_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unianimate/plot/axis.h"
#include "unianimate/plot/page.h"
#include "unianimate/pose/report/report_colours.h"

namespace unianimate::pose {

namespace {

using plot::kInk;
using plot::text_width;
using plot::TextAlign;
using plot::write_text;

// Of the page, in pixels.
constexpr int kWidth = 1120;
constexpr int kMargin = 28;
constexpr int kPlotLeft = 172;  ///< labels stand left of it
constexpr int kPlotRight = kWidth - 84;
constexpr int kPlotWidth = kPlotRight - kPlotLeft;
constexpr int kLabelGap = 12;
constexpr int kTitleText = 13;
constexpr int kText = 10;
constexpr int kTitleHeight = 30;
constexpr int kLegendHeight = 30;
constexpr int kAxisHeight = 26;
constexpr int kSectionGap = 34;
constexpr int kTick = 4;

const cv::Scalar kGrid = cv::Scalar::all(222);
const cv::Scalar kAxis = cv::Scalar::all(140);
const cv::Scalar kSeenColour = {52, 110, 180};
const cv::Scalar kUnseenColour = cv::Scalar::all(232);

/// Text beside a row that has this middle.
int base_line(int middle, int text) {
  return middle + text / 2;
}

void write_label(cv::Mat& page, const std::string& text, int middle) {
  write_text(page, text, {kPlotLeft - kLabelGap, base_line(middle, kText)}, kText, kInk, TextAlign::kRight);
}

struct LegendEntry {
  std::string text;
  cv::Scalar colour;
};

void draw_legend(cv::Mat& page, int top, std::span<const LegendEntry> entries) {
  constexpr int kSwatch = 12;
  constexpr int kAfterSwatch = 7;
  constexpr int kAfterText = 24;
  int left = kPlotLeft;
  for (const LegendEntry& entry : entries) {
    cv::rectangle(page, {left, top, kSwatch, kSwatch}, entry.colour, cv::FILLED);
    left += kSwatch + kAfterSwatch;
    write_text(page, entry.text, {left, base_line(top + kSwatch / 2, kText)}, kText);
    left += text_width(entry.text, kText) + kAfterText;
  }
}

// ---- Bones

constexpr int kBarRow = 22;
constexpr int kBar = 14;
constexpr std::size_t kMostBones = 64;

const cv::Scalar& source_colour(std::string_view source) {
  static const std::array<std::pair<std::string_view, cv::Scalar>, 5> kColours{{{"measured", {52, 110, 180}},
                                                                                {"first frame", {52, 110, 180}},
                                                                                {"other side", {64, 160, 120}},
                                                                                {"whole figure", {170, 170, 170}},
                                                                                {"limited", {214, 84, 50}}}};
  static const cv::Scalar kOther{140, 100, 170};
  const auto* entry = std::ranges::find(kColours, source, &std::pair<std::string_view, cv::Scalar>::first);
  return entry == kColours.end() ? kOther : entry->second;
}

/// Ratios from 1/2^reach to 2^reach, left to right.
class RatioScale {
 public:
  explicit RatioScale(std::span<const BoneRatio> bones) {
    constexpr int kMostReach = 3;
    double farthest = 0;
    for (const BoneRatio& bone : bones) {
      if (bone.ratio > 0) farthest = std::max(farthest, std::abs(std::log2(bone.ratio)));
    }
    reach_ = std::clamp(std::ceil(farthest), 1.0, static_cast<double>(kMostReach));
  }

  [[nodiscard]] std::vector<double> ticks() const {
    const double step = reach_ == 1 ? 0.5 : 1;
    std::vector<double> ratios;
    const auto last = std::lround(2 * reach_ / step);
    for (long i = 0; i <= last; ++i) ratios.push_back(std::exp2(-reach_ + static_cast<double>(i) * step));
    return ratios;
  }

  [[nodiscard]] int x(double ratio) const {
    const double exponent = std::clamp(std::log2(ratio), -reach_, reach_);
    return kPlotLeft + static_cast<int>(std::lround((exponent / reach_ + 1) / 2 * kPlotWidth));
  }

 private:
  double reach_ = 1;
};

std::vector<LegendEntry> source_legend(std::span<const BoneRatio> bones) {
  constexpr std::size_t kMostEntries = 6;
  std::vector<LegendEntry> entries;
  for (const BoneRatio& bone : bones) {
    const bool listed = std::ranges::find(entries, bone.source, &LegendEntry::text) != entries.end();
    if (!listed && entries.size() < kMostEntries) entries.push_back({bone.source, source_colour(bone.source)});
  }
  return entries;
}

int bones_height(std::size_t bones) {
  return kTitleHeight + kLegendHeight + static_cast<int>(bones) * kBarRow + kAxisHeight;
}

void draw_bones(cv::Mat& page, int top, const AlignmentReport& report, std::span<const BoneRatio> bones) {
  write_text(page,
             fmt::format("Bones against the whole figure ({} alignment, figure scaled by {:.3g} across, {:.3g} down)",
                         report.method, report.scale_x, report.scale_y),
             {kMargin, top + kTitleText}, kTitleText);
  top += kTitleHeight;
  draw_legend(page, top, source_legend(bones));
  top += kLegendHeight;

  const RatioScale scale(bones);
  const int bottom = top + static_cast<int>(bones.size()) * kBarRow;
  for (const double tick : scale.ticks()) {
    const int x = scale.x(tick);
    cv::line(page, {x, top}, {x, bottom + kTick}, tick == 1 ? kAxis : kGrid);
    write_text(page, fmt::format("{:.3g}", tick), {x, bottom + kAxisHeight - kText / 2}, kText, kInk,
               TextAlign::kCentre);
  }
  int middle = top + kBarRow / 2;
  for (const BoneRatio& bone : bones) {
    constexpr std::size_t kLongestName = 20;
    write_label(page, bone.bone.substr(0, kLongestName), middle);
    if (bone.ratio > 0) {
      const auto [left, right] = std::minmax({scale.x(1), scale.x(bone.ratio)});
      cv::rectangle(page, {left - 1, middle - kBar / 2, right - left + 3, kBar}, source_colour(bone.source),
                    cv::FILLED);
    }
    write_text(page, fmt::format("{:.2f}", bone.ratio), {kPlotRight + kLabelGap, base_line(middle, kText)}, kText);
    middle += kBarRow;
  }
}

// ---- Time

constexpr int kPartRow = 26;
constexpr int kPartBar = 20;
constexpr int kNobodyRow = 18;
constexpr int kNobodyBar = 8;

struct BodyPart {
  const char* name;
  std::vector<std::size_t> points;
};

std::vector<std::size_t> points_from(std::size_t first, std::size_t count) {
  std::vector<std::size_t> points(count);
  std::iota(points.begin(), points.end(), first);
  return points;
}

const std::vector<BodyPart>& body_parts() {
  constexpr std::size_t kFootPoints = 3;
  static const std::vector<BodyPart> kParts{{"head", {kNose, kRightEye, kLeftEye, kRightEar, kLeftEar}},
                                            {"neck", {kNeck}},
                                            {"right arm", {kRightShoulder, kRightElbow, kRightWrist}},
                                            {"left arm", {kLeftShoulder, kLeftElbow, kLeftWrist}},
                                            {"right hand", points_from(kRightHand, kHandPoints)},
                                            {"left hand", points_from(kLeftHand, kHandPoints)},
                                            {"right leg", {kRightHip, kRightKnee, kRightAnkle}},
                                            {"left leg", {kLeftHip, kLeftKnee, kLeftAnkle}},
                                            {"right foot", points_from(kRightBigToe, kFootPoints)},
                                            {"left foot", points_from(kLeftBigToe, kFootPoints)}};
  return kParts;
}

/// Shares of a part's points, from 0 to 1.
struct Shares {
  double seen = 0;
  double filled = 0;
};

/// What was seen in each frame of an aligned motion.
class Sightings {
 public:
  Sightings(const PoseSequence& aligned, const PoseSequence& driver) : aligned_(aligned), driver_(driver) {}

  [[nodiscard]] std::size_t frames() const { return aligned_.frames.size(); }
  [[nodiscard]] double seconds(std::size_t frame) const { return aligned_.frames[frame].seconds; }
  [[nodiscard]] bool found(std::size_t frame) const { return found_in_driver(frame) != nullptr; }

  /// Over the frames first … last − 1, at least one.
  [[nodiscard]] Shares shares(const BodyPart& part, std::size_t first, std::size_t last) const {
    Shares sums;
    for (std::size_t frame = first; frame < last; ++frame) {
      const Person* driver = found_in_driver(frame);
      for (const std::size_t point : part.points) {
        if (driver != nullptr && driver->keypoints[point].seen()) {
          ++sums.seen;
        } else if (drawn(frame, point)) {
          ++sums.filled;
        }
      }
    }
    const auto all = static_cast<double>(part.points.size() * (last - first));
    return {sums.seen / all, sums.filled / all};
  }

 private:
  static const Person* person_in(const PoseFrame& frame) {
    return frame.people.empty() ? nullptr : &frame.people.front();
  }

  [[nodiscard]] const Person* found_in_driver(std::size_t frame) const {
    if (driver_.frames.empty()) return nullptr;
    const std::size_t last = driver_.frames.size() - 1;
    const std::size_t at = frames() > 1 ? (frame * last + (frames() - 1) / 2) / (frames() - 1) : 0;
    const Person* person = person_in(driver_.frames[at]);
    return person != nullptr && !person->filled ? person : nullptr;
  }

  [[nodiscard]] bool drawn(std::size_t frame, std::size_t point) const {
    const Person* person = person_in(aligned_.frames[frame]);
    if (person == nullptr) return false;
    const auto& [at, score] = person->keypoints[point];
    return person->keypoints[point].seen() && at.x >= 0 && at.y >= 0 && at.x <= aligned_.width &&
           at.y <= aligned_.height;
  }

  const PoseSequence& aligned_;
  const PoseSequence& driver_;
};

/// The frames of one column of pixels.
struct Column {
  int x;
  std::size_t first;
  std::size_t last;
};

std::vector<Column> columns_of(std::size_t frames) {
  std::vector<Column> columns;
  for (std::size_t i = 0; i < kPlotWidth && frames > 0; ++i) {
    const std::size_t first = i * frames / kPlotWidth;
    const std::size_t next = (i + 1) * frames / kPlotWidth;
    columns.push_back({kPlotLeft + static_cast<int>(i), first, std::max(next, first + 1)});
  }
  return columns;
}

void fill_column(cv::Mat& page, int x, int top, int bottom, const cv::Scalar& colour) {
  if (bottom > top) cv::rectangle(page, {x, top, 1, bottom - top}, colour, cv::FILLED);
}

void draw_part(cv::Mat& page, int top, const BodyPart& part, const Sightings& sightings,
               std::span<const Column> columns) {
  write_label(page, part.name, top + kPartBar / 2);
  cv::rectangle(page, {kPlotLeft, top, kPlotWidth, kPartBar}, kUnseenColour, cv::FILLED);
  for (const Column& column : columns) {
    const Shares shares = sightings.shares(part, column.first, column.last);
    const auto height = [](double share) { return static_cast<int>(std::lround(share * kPartBar)); };
    const int bottom = top + kPartBar;
    const int seen_top = bottom - height(shares.seen);
    fill_column(page, column.x, seen_top, bottom, kSeenColour);
    fill_column(page, column.x, bottom - height(shares.seen + shares.filled), seen_top, kFilledColour);
  }
}

constexpr int kMostTicks = 12;

void draw_seconds(cv::Mat& page, int top, const Sightings& sightings) {
  cv::line(page, {kPlotLeft, top}, {kPlotRight - 1, top}, kAxis);
  write_text(page, "seconds", {kPlotRight + kLabelGap, top + kAxisHeight - kText / 2}, kText);
  if (sightings.frames() == 0) return;
  const double start = sightings.seconds(0);
  const double end = sightings.seconds(sightings.frames() - 1);
  constexpr double kLeastStep = 0.1;
  const double step = std::max(kLeastStep, plot::tick_step(end - start, kMostTicks));
  std::size_t frame = 0;
  for (int i = 0; i <= kMostTicks; ++i) {
    constexpr double kRounding = 1e-6;
    const double tick = (std::ceil(start / step) + i) * step;
    if (!(tick <= end + kRounding)) break;
    while (frame + 1 < sightings.frames() && sightings.seconds(frame) < tick - kRounding) ++frame;
    const int x = kPlotLeft + static_cast<int>(frame * kPlotWidth / sightings.frames());
    cv::line(page, {x, top}, {x, top + kTick}, kAxis);
    write_text(page, fmt::format("{:.6g}", tick), {x, top + kAxisHeight - kText / 2}, kText, kInk, TextAlign::kCentre);
  }
}

int time_map_height() {
  return kTitleHeight + kLegendHeight + kNobodyRow + static_cast<int>(body_parts().size()) * kPartRow + kAxisHeight;
}

void draw_time_map(cv::Mat& page, int top, const Sightings& sightings) {
  std::size_t found = 0;
  for (std::size_t frame = 0; frame < sightings.frames(); ++frame) found += sightings.found(frame) ? 1 : 0;
  write_text(page, fmt::format("What was seen of the driver: somebody in {} of {} frames", found, sightings.frames()),
             {kMargin, top + kTitleText}, kTitleText);
  top += kTitleHeight;
  const std::array<LegendEntry, 4> legend{{{"seen", kSeenColour},
                                           {"filled in", kFilledColour},
                                           {"unseen", kUnseenColour},
                                           {"nobody found", kNobodyColour}}};
  draw_legend(page, top, legend);
  top += kLegendHeight;

  const std::vector<Column> columns = columns_of(sightings.frames());
  write_label(page, "nobody found", top + kNobodyBar / 2);
  for (const Column& column : columns) {
    bool nobody = false;
    for (std::size_t frame = column.first; frame < column.last; ++frame) nobody |= !sightings.found(frame);
    if (nobody) fill_column(page, column.x, top, top + kNobodyBar, kNobodyColour);
  }
  top += kNobodyRow;
  for (const BodyPart& part : body_parts()) {
    draw_part(page, top, part, sightings, columns);
    top += kPartRow;
  }
  draw_seconds(page, top, sightings);
}

}  // namespace

Image alignment_plot(const AlignedPoses& poses, const PoseSequence& driver) {
  const std::span bones = std::span(poses.report.bones).first(std::min(poses.report.bones.size(), kMostBones));
  const int map_top = kMargin + bones_height(bones.size()) + kSectionGap;
  Image image(kWidth, map_top + time_map_height() + kMargin);
  cv::Mat page = plot::pixels_of(image);
  page.setTo(plot::kWhite);
  draw_bones(page, kMargin, poses.report, bones);
  draw_time_map(page, map_top, Sightings(poses.motion, driver));
  return image;
}

}  // namespace unianimate::pose
