#include "unianimate/pipeline/reference_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "unianimate/media/pictures/image_reader.h"

namespace unianimate::pipeline {

namespace {

/// From the first pixel to the one behind the last, along one side.
struct Shown {
  double begin;
  double end;
  int size;

  [[nodiscard]] bool is_all() const { return begin <= 0 && end >= size; }
  [[nodiscard]] bool reaches_beyond() const { return begin < 0 || end > size; }
  /// "columns 128 to 895 of 1024", counted from 0.
  [[nodiscard]] std::string text(const char* what) const {
    if (is_all()) return fmt::format("all {} {}", size, what);
    return fmt::format("{} {:.0f} to {:.0f} of {}", what, std::max(begin, 0.0), std::min<double>(end, size) - 1, size);
  }
};

std::string part_note(const Framing& framing, PictureSize picture) {
  const Shown across{std::round(framing.left * picture.width), std::round(framing.right * picture.width),
                     picture.width};
  const Shown down{std::round(framing.top * picture.height), std::round(framing.bottom * picture.height),
                   picture.height};
  const bool has_border = across.reaches_beyond() || down.reaches_beyond();
  if (across.is_all() && down.is_all() && !has_border) return {};
  return fmt::format("of the reference picture the video shows {} and {}{}", across.text("columns"), down.text("rows"),
                     has_border ? ", with a border beside it" : "");
}

std::string stretch_note(const family::AnimateRequest& request, PictureSize picture) {
  constexpr double kUnnoticed = 0.05;
  const double stretch = stretch_of(request.framing, picture, {request.width, request.height});
  const double more = std::max(stretch, 1 / stretch) - 1;
  if (more <= kUnnoticed) return {};
  return fmt::format(
      "the reference picture of {}x{} is made {:.0f} % {} to fill {}x{}; 'animate' keeps its shape with "
      "--fit crop, --fit pad or --size auto",
      picture.width, picture.height, 100 * more, stretch > 1 ? "wider" : "taller", request.width, request.height);
}

}  // namespace

std::vector<std::string> reference_notes(const family::AnimateRequest& request) {
  ReferencePicture reference = read_reference(request.reference, request.background);
  const PictureSize size{reference.image.width, reference.image.height};
  std::vector<std::string> notes = std::move(reference.notes);
  for (std::string note : {part_note(request.framing, size), stretch_note(request, size)}) {
    if (!note.empty()) notes.push_back(std::move(note));
  }
  return notes;
}

}  // namespace unianimate::pipeline
