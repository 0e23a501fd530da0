// Many pictures on one page, to compare them at a glance.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "unianimate/media/pictures/image.h"

namespace unianimate::plot {

/// Pictures beside each other; an empty Image leaves its place free. A row without pictures is a heading.
struct SheetRow {
  std::string label;
  std::vector<Image> pictures;
};

/// Texts are ASCII; question marks stand for anything else.
struct PictureSheet {
  std::string title;
  std::vector<std::string> columns;  ///< what stands above the pictures; may be fewer than these
  std::vector<SheetRow> rows;
};

/// On white, labels on the left. Throws Error(kUsage) where there is no picture at all, the pictures' sizes differ, or
/// the page would be wider or higher than 32 000 pixels.
Image draw_picture_sheet(const PictureSheet& sheet);

/// `count` of the numbers 0 … frames − 1 (at least one), evenly spread, the first and the last among them.
std::vector<std::size_t> evenly_spread(std::size_t frames, std::size_t count);

}  // namespace unianimate::plot
