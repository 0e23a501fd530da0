#include "unianimate/media/pictures/framing.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "unianimate/core/error.h"

namespace unianimate {

namespace {

/// A stretch of one side, in pixels.
struct Span {
  double begin = 0;
  double end = 0;

  [[nodiscard]] double length() const { return end - begin; }
  [[nodiscard]] double middle() const { return (begin + end) / 2; }
};

/// Of that length, around the middle of `wanted`, moved into `whole` as far as `wanted` stays inside.
Span around(Span wanted, Span whole, double length) {
  double begin = wanted.middle() - length / 2;
  if (length <= whole.length()) {
    begin = std::clamp(begin, whole.begin, whole.end - length);
  } else {
    begin = std::clamp(begin, whole.end - length, whole.begin);
  }
  return {begin, begin + length};
}

/// With a margin, but not beyond the picture: what is cut off there already need not be kept.
Span with_margin(double begin, double end, double size) {
  constexpr double kMargin = 0.05;
  const double margin = kMargin * (end - begin);
  return {std::clamp(begin - margin, 0.0, 1.0) * size, std::clamp(end + margin, 0.0, 1.0) * size};
}

Framing crop(PictureSize picture, double aspect, const Framing& person) {
  const Span across = with_margin(person.left, person.right, picture.width);
  const Span down = with_margin(person.top, person.bottom, picture.height);
  // As much of the picture as has the aspect, or more where the person needs it; a margin alone is not worth a border.
  const double largest = std::min<double>(picture.height, picture.width / aspect);
  const double height = std::max(
      {largest, (person.bottom - person.top) * picture.height, (person.right - person.left) * picture.width / aspect});
  const Span columns = around(across, {0, static_cast<double>(picture.width)}, height * aspect);
  const Span rows = around(down, {0, static_cast<double>(picture.height)}, height);
  return {columns.begin / picture.width, rows.begin / picture.height, columns.end / picture.width,
          rows.end / picture.height};
}

/// The picture's own middle in the middle of the border.
Framing pad(PictureSize picture, double aspect) {
  const double wider = std::max(1.0, aspect / picture.aspect());
  const double taller = std::max(1.0, picture.aspect() / aspect);
  return {(1 - wider) / 2, (1 - taller) / 2, (1 + wider) / 2, (1 + taller) / 2};
}

struct PixelSpan {
  int begin = 0;
  int end = 0;
};

/// Nothing is left of what lies beside the picture further than that.
constexpr double kReach = 1 << 20;

PixelSpan pixels(double begin, double end, int size) {
  const double first = std::round(begin * size);
  const double last = std::round(end * size);
  if (!(first < last && std::abs(first) <= kReach && std::abs(last) <= kReach)) {
    throw Error(
        ErrorKind::kInput,
        "the part of a picture must be at least one pixel and near to it, but goes from {:.6g} to {:.6g} of its "
        "{} pixels",
        first, last, size);
  }
  return {static_cast<int>(first), static_cast<int>(last)};
}

/// A part may be much larger than a picture that is nearly a line, but not than one that is large already.
void check_area(const Image& picture, PixelSpan columns, PixelSpan rows) {
  constexpr std::int64_t kMostTimes = 16;
  constexpr std::int64_t kAlways = 4'000'000;
  const auto area = [](std::int64_t width, std::int64_t height) { return width * height; };
  const std::int64_t most = kMostTimes * area(picture.width, picture.height) + kAlways;
  if (area(columns.end - columns.begin, rows.end - rows.begin) <= most) return;
  throw Error(ErrorKind::kInput, "{}x{} pixels around a picture of {}x{} are too many; give a picture of another shape",
              columns.end - columns.begin, rows.end - rows.begin, picture.width, picture.height);
}

Image cut(const Image& picture, PixelSpan columns, PixelSpan rows, Border border) {
  check_area(picture, columns, rows);
  Image part(columns.end - columns.begin, rows.end - rows.begin);
  for (int y = rows.begin; y < rows.end; ++y) {
    const bool beside_row = y < 0 || y >= picture.height;
    if (border == Border::kBlack && beside_row) continue;
    const auto source = picture.row(std::clamp(y, 0, picture.height - 1));
    const auto target = part.row(y - rows.begin);
    for (int x = columns.begin; x < columns.end; ++x) {
      const bool beside_column = x < 0 || x >= picture.width;
      if (border == Border::kBlack && beside_column) continue;
      const int from = std::clamp(x, 0, picture.width - 1) * Image::kChannels;
      std::copy_n(source.begin() + from, Image::kChannels, target.begin() + (x - columns.begin) * Image::kChannels);
    }
  }
  return part;
}

}  // namespace

Framing frame_for(Fit fit, PictureSize picture, PictureSize video, const Framing& person) {
  if (fit == Fit::kStretch) return {};
  return fit == Fit::kPad ? pad(picture, video.aspect()) : crop(picture, video.aspect(), person);
}

PictureSize size_for(PictureSize picture, PictureSize usual, int unit) {
  constexpr double kWidest = 4;
  constexpr double kAspectWeight = 3;
  constexpr double kTie = 1e-9;  // of two sizes that are as good, the smaller one
  const double aspect = std::clamp(picture.aspect(), 1 / kWidest, kWidest);
  const double area = static_cast<double>(usual.width) * usual.height;
  const int most = static_cast<int>(std::ceil(2 * std::sqrt(area * kWidest) / unit));
  PictureSize best{};
  double smallest = std::numeric_limits<double>::infinity();
  for (int across = 1; across <= most; ++across) {
    for (int down = 1; down <= most; ++down) {
      const PictureSize size{across * unit, down * unit};
      const double difference = kAspectWeight * std::abs(std::log(size.aspect() / aspect)) +
                                std::abs(std::log(static_cast<double>(size.width) * size.height / area));
      if (difference >= smallest - kTie) continue;
      smallest = difference;
      best = size;
    }
  }
  return best;
}

double stretch_of(const Framing& framing, PictureSize picture, PictureSize video) {
  const double part = picture.aspect() * (framing.right - framing.left) / (framing.bottom - framing.top);
  return video.aspect() / part;
}

Image framed(const Image& picture, const Framing& framing, Border border) {
  if (framing.is_whole()) return picture;
  return cut(picture, pixels(framing.left, framing.right, picture.width),
             pixels(framing.top, framing.bottom, picture.height), border);
}

Image dimmed_outside(const Image& picture, const Framing& framing) {
  constexpr int kDarker = 3;
  const PixelSpan columns = pixels(framing.left, framing.right, picture.width);
  const PixelSpan rows = pixels(framing.top, framing.bottom, picture.height);
  Image dimmed = picture;
  for (int y = 0; y < dimmed.height; ++y) {
    const auto row = dimmed.row(y);
    for (int x = 0; x < dimmed.width; ++x) {
      if (x >= columns.begin && x < columns.end && y >= rows.begin && y < rows.end) continue;
      for (int channel = 0; channel < Image::kChannels; ++channel) row[x * Image::kChannels + channel] /= kDarker;
    }
  }
  return dimmed;
}

}  // namespace unianimate
