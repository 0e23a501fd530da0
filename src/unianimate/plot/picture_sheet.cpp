#include "unianimate/plot/picture_sheet.h"

#include <algorithm>

#include "unianimate/core/error.h"
#include "unianimate/plot/page.h"

namespace unianimate::plot {

namespace {

// Of the page, in pixels.
constexpr int kSheetMargin = 16;
constexpr int kPictureGap = 6;
constexpr int kSheetTitleHeight = 30;
constexpr int kHeadingHeight = 30;
constexpr int kColumnHeight = 20;
constexpr int kAfterLabel = 12;

class SheetLayout {
 public:
  explicit SheetLayout(const PictureSheet& sheet) {
    std::size_t columns = 0;
    std::int64_t height = 2 * kSheetMargin;
    int widest = text_width(sheet.title, kTitleText);
    for (const SheetRow& row : sheet.rows) {
      columns = std::max(columns, row.pictures.size());
      for (const Image& picture : row.pictures) take_size(picture);
      if (row.pictures.empty()) {
        widest = std::max(widest, text_width(row.label, kTitleText));
      } else {
        label_width_ = std::max(label_width_, text_width(row.label, kText) + kAfterLabel);
      }
    }
    if (picture_width_ == 0) throw Error(ErrorKind::kUsage, "a sheet of pictures needs at least one picture");
    title_height_ = sheet.title.empty() ? 0 : kSheetTitleHeight;
    column_height_ = sheet.columns.empty() ? 0 : kColumnHeight;
    for (const SheetRow& row : sheet.rows) height += row_height(row);
    const std::int64_t pictures = static_cast<std::int64_t>(columns) * (picture_width_ + kPictureGap) - kPictureGap;
    width_ = 2 * kSheetMargin + std::max<std::int64_t>(widest, label_width_ + pictures);
    height_ = height + title_height_ + column_height_;
    constexpr std::int64_t kMostSide = 32'000;
    if (std::max(width_, height_) > kMostSide) {
      throw Error(ErrorKind::kUsage, "a sheet of pictures has sides of {} pixels at most, but would be {}x{}",
                  kMostSide, width_, height_);
    }
  }

  [[nodiscard]] int width() const { return static_cast<int>(width_); }
  [[nodiscard]] int height() const { return static_cast<int>(height_); }
  [[nodiscard]] int columns_top() const { return kSheetMargin + title_height_; }
  [[nodiscard]] int rows_top() const { return columns_top() + column_height_; }
  [[nodiscard]] int row_height(const SheetRow& row) const {
    return row.pictures.empty() ? kHeadingHeight : picture_height_ + kPictureGap;
  }
  [[nodiscard]] cv::Rect place(std::size_t column, int top) const {
    const int left = kSheetMargin + label_width_ + static_cast<int>(column) * (picture_width_ + kPictureGap);
    return {left, top, picture_width_, picture_height_};
  }

 private:
  void take_size(const Image& picture) {
    if (picture.pixels.empty()) return;
    if (picture_width_ == 0) {
      picture_width_ = picture.width;
      picture_height_ = picture.height;
    }
    if (picture.width != picture_width_ || picture.height != picture_height_) {
      throw Error(ErrorKind::kUsage, "the pictures of a sheet have one size, but there are {}x{} and {}x{}",
                  picture_width_, picture_height_, picture.width, picture.height);
    }
  }

  int picture_width_ = 0;
  int picture_height_ = 0;
  int label_width_ = 0;
  int title_height_ = 0;
  int column_height_ = 0;
  std::int64_t width_ = 0;
  std::int64_t height_ = 0;
};

}  // namespace

Image draw_picture_sheet(const PictureSheet& sheet) {
  const SheetLayout layout(sheet);
  Image image(layout.width(), layout.height());
  cv::Mat page = pixels_of(image);
  page.setTo(kWhite);
  write_text(page, sheet.title, {kSheetMargin, kSheetMargin + kTitleText}, kTitleText);
  for (std::size_t i = 0; i < sheet.columns.size(); ++i) {
    const cv::Rect place = layout.place(i, layout.columns_top());
    write_text(page, sheet.columns[i], {place.x + place.width / 2, place.y + kText}, kText, kInk, TextAlign::kCentre);
  }
  int top = layout.rows_top();
  for (const SheetRow& row : sheet.rows) {
    const int bottom = top + layout.row_height(row);
    if (row.pictures.empty()) {
      write_text(page, row.label, {kSheetMargin, bottom - kPictureGap - kText / 2}, kTitleText);
    } else {
      write_text(page, row.label, {kSheetMargin, (top + bottom - kPictureGap + kText) / 2}, kText);
    }
    for (std::size_t i = 0; i < row.pictures.size(); ++i) {
      if (!row.pictures[i].pixels.empty()) pixels_of(row.pictures[i]).copyTo(page(layout.place(i, top)));
    }
    top = bottom;
  }
  return image;
}

std::vector<std::size_t> evenly_spread(std::size_t frames, std::size_t count) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    chosen.push_back(count == 1 ? 0 : (i * (frames - 1) + (count - 1) / 2) / (count - 1));
  }
  return chosen;
}

}  // namespace unianimate::plot
