#include "unianimate/media/pictures/picture_names.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace unianimate {

namespace {

constexpr std::string_view kRead[] = {".jpg",  ".jpeg", ".jpe",  ".jfif", ".png", ".webp",
                                      ".heic", ".heif", ".avif", ".bmp",  ".tif", ".tiff"};
constexpr std::string_view kNotRead[] = {".apng", ".gif", ".arw", ".cr2", ".cr3", ".dng", ".exr", ".hdr", ".ico",
                                         ".j2k",  ".jp2", ".jxl", ".nef", ".orf", ".pbm", ".pcx", ".pgm", ".pnm",
                                         ".ppm",  ".psd", ".qoi", ".raf", ".raw", ".rw2", ".svg", ".tga", ".xcf"};

}  // namespace

NamedAs named_as(const std::filesystem::path& path) {
  if (path.filename().string().starts_with('.')) return NamedAs::kOther;
  std::string suffix = path.extension().string();
  std::ranges::transform(suffix, suffix.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::ranges::find(kRead, suffix) != std::end(kRead)) return NamedAs::kPicture;
  return std::ranges::find(kNotRead, suffix) != std::end(kNotRead) ? NamedAs::kOtherPicture : NamedAs::kOther;
}

}  // namespace unianimate
