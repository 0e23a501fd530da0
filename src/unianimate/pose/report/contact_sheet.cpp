#include "unianimate/pose/report/contact_sheet.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/plot/page.h"
#include "unianimate/plot/picture_sheet.h"
#include "unianimate/pose/report/panel.h"
#include "unianimate/pose/report/report_colours.h"

namespace unianimate::pose {

namespace {

using plot::kInk;
using plot::pixels_of;

constexpr int kSheetMargin = 16;
constexpr int kGap = 12;
constexpr int kTextHeight = 10;
constexpr int kLabelHeight = 24;
constexpr int kLeastWidth = 200;  ///< for the longest label
constexpr std::uint8_t kBackground = 255;
constexpr double kDimmed = 0.45;
/// Pictures are drawn larger and then shrunk, for smooth and slender lines.
constexpr int kFineness = 2;

void check(const ContactSheetLayout& layout) {
  constexpr int kMostCells = 100;
  constexpr int kLeastCell = 32;
  constexpr int kMostCell = 1024;
  const bool usable = layout.columns >= 1 && layout.columns <= kMostCells && layout.rows >= 1 &&
                      layout.rows <= kMostCells && layout.columns * layout.rows >= 2 && layout.cell >= kLeastCell &&
                      layout.cell <= kMostCell;
  if (usable) return;
  throw Error(
      ErrorKind::kUsage,
      "a contact sheet has 1 to {} columns and rows, at least two cells and pictures of {} to {} pixels, but is "
      "asked for {} columns, {} rows and {} pixels",
      kMostCells, kLeastCell, kMostCell, layout.columns, layout.rows, layout.cell);
}

/// Puts pictures with labels onto a page, row by row.
class Sheet {
 public:
  Sheet(PixelSize picture, std::size_t cells, std::size_t columns)
      : picture_(picture), width_(std::max(picture.width, kLeastWidth)), columns_(std::min(cells, columns)) {
    const int across = static_cast<int>(columns_);
    const int down = static_cast<int>((cells + columns_ - 1) / columns_);
    page_ = Image(2 * kSheetMargin + across * (width_ + kGap) - kGap,
                  2 * kSheetMargin + down * (picture_.height + kLabelHeight + kGap) - kGap);
    std::ranges::fill(page_.pixels, kBackground);
  }

  void add(const Image& picture, const std::string& label, const cv::Scalar& colour) {
    const int left = kSheetMargin + static_cast<int>(cells_ % columns_) * (width_ + kGap);
    const int top = kSheetMargin + static_cast<int>(cells_ / columns_) * (picture_.height + kLabelHeight + kGap);
    cv::Mat page = pixels_of(page_);
    const cv::Rect place{left + (width_ - picture_.width) / 2, top, picture_.width, picture_.height};
    cv::Mat target = page(place);
    cv::resize(pixels_of(picture), target, place.size(), 0, 0, cv::INTER_AREA);
    plot::write_text(page, label, {left + width_ / 2, top + picture_.height + (kLabelHeight + kTextHeight) / 2},
                     kTextHeight, colour, plot::TextAlign::kCentre);
    ++cells_;
  }

  Image take() { return std::move(page_); }

 private:
  PixelSize picture_;
  int width_;  ///< of a cell
  std::size_t columns_;
  std::size_t cells_ = 0;  ///< filled so far
  Image page_;
};

}  // namespace

Image contact_sheet(const AlignedPoses& poses, const Image& reference_picture, const ContactSheetLayout& layout) {
  check(layout);
  const std::vector<PoseFrame>& frames = poses.motion.frames;
  const auto columns = static_cast<std::size_t>(layout.columns);
  const std::size_t shown = std::min(columns * static_cast<std::size_t>(layout.rows) - 1, frames.size());

  const PixelSize canvas{poses.motion.width, poses.motion.height};
  const PixelSize picture =
      fitted_size({reference_picture.width, reference_picture.height}, {layout.cell, layout.cell});
  Panel panel(reference_picture, canvas, {picture.width * kFineness, picture.height * kFineness}, kBackground);
  Sheet sheet(picture, shown + 1, columns);
  sheet.add(panel.with(&poses.reference), "reference", kInk);
  panel.dim(kDimmed);
  for (const std::size_t i : plot::evenly_spread(frames.size(), shown)) {
    const PoseFrame& frame = frames[i];
    const std::string label = fmt::format("#{}, {:.2f} s", i, frame.seconds);
    if (frame.people.empty()) {
      sheet.add(panel.with(nullptr), label + ", nobody", kNobodyColour);
    } else {
      const Person& person = frame.people.front();
      sheet.add(panel.with(&person.keypoints), person.filled ? label + ", filled in" : label,
                person.filled ? kFilledColour : kInk);
    }
  }
  return sheet.take();
}

}  // namespace unianimate::pose
