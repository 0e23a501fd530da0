#include "unianimate/server/store/content_type.h"

#include <algorithm>
#include <array>

#include "unianimate/core/error.h"

namespace unianimate::store {

namespace {

using std::string_view_literals::operator""sv;

struct Magic {
  std::size_t at;
  std::string_view bytes;
  std::string_view type;
  std::size_t at_too = 0;
  std::string_view bytes_too = {};  ///< have to be there as well
};

/// The first that fits counts.
constexpr std::array kMagics{
    Magic{0, "\xff\xd8\xff"sv, "image/jpeg"},
    Magic{0, "\x89PNG\r\n\x1a\n"sv, "image/png"},
    Magic{0, "GIF87a"sv, "image/gif"},
    Magic{0, "GIF89a"sv, "image/gif"},
    Magic{0, "RIFF"sv, "image/webp", 8, "WEBP"sv},
    Magic{0, "RIFF"sv, "video/x-msvideo", 8, "AVI "sv},
    Magic{4, "ftyphei"sv, "image/heic"},
    Magic{4, "ftyphev"sv, "image/heic"},
    Magic{4, "ftypmif1"sv, "image/heic"},
    Magic{4, "ftypavi"sv, "image/avif"},
    Magic{4, "ftypqt  "sv, "video/quicktime"},
    Magic{4, "ftyp"sv, "video/mp4"},
    Magic{4, "moov"sv, "video/quicktime"},
    Magic{4, "wide"sv, "video/quicktime"},
    Magic{4, "mdat"sv, "video/quicktime"},
    Magic{0, "\x1a\x45\xdf\xa3"sv, "video/x-matroska"},
    Magic{0, "BM"sv, "image/bmp", 6, "\0\0\0\0"sv},
    Magic{0, "II*\0"sv, "image/tiff"},
    Magic{0, "MM\0*"sv, "image/tiff"},
};

struct Ending {
  std::string_view type;
  std::string_view ending;
};

constexpr std::array kEndings{
    Ending{"image/jpeg", ".jpg"},      Ending{"image/png", ".png"},         Ending{"image/gif", ".gif"},
    Ending{"image/webp", ".webp"},     Ending{"image/heic", ".heic"},       Ending{"image/avif", ".avif"},
    Ending{"image/bmp", ".bmp"},       Ending{"image/tiff", ".tiff"},       Ending{"video/mp4", ".mp4"},
    Ending{"video/quicktime", ".mov"}, Ending{"video/webm", ".webm"},       Ending{"video/x-matroska", ".mkv"},
    Ending{"video/x-msvideo", ".avi"}, Ending{"application/json", ".json"},
};

bool has(std::string_view beginning, std::size_t at, std::string_view bytes) {
  return beginning.size() >= at + bytes.size() && beginning.substr(at, bytes.size()) == bytes;
}

}  // namespace

std::string_view content_type(std::string_view beginning) {
  for (const Magic& magic : kMagics) {
    if (!has(beginning, magic.at, magic.bytes) || !has(beginning, magic.at_too, magic.bytes_too)) continue;
    const bool is_webm = magic.type == "video/x-matroska" && beginning.find("webm") != std::string_view::npos;
    return is_webm ? "video/webm"sv : magic.type;
  }
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (has(beginning, 0, kByteOrderMark)) beginning.remove_prefix(kByteOrderMark.size());
  const std::size_t first = beginning.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string_view::npos && (beginning[first] == '{' || beginning[first] == '[');
  return is_json ? "application/json"sv : ""sv;
}

std::string_view ending_of(std::string_view type) {
  const auto* const found =
      std::find_if(kEndings.begin(), kEndings.end(), [&](const Ending& ending) { return ending.type == type; });
  if (found == kEndings.end()) throw Error(ErrorKind::kUsage, "{} is no type of a stored file", printable(type));
  return found->ending;
}

}  // namespace unianimate::store
