// What the names of files say about pictures: for folders, where not every file is looked into.
#pragma once

#include <filesystem>

namespace unianimate {

enum class NamedAs {
  kPicture,       ///< a picture as read_image() reads them: .jpg, .png, .webp, .heic, .avif, .bmp, .tif and their kin
  kOtherPicture,  ///< a picture of a kind that is not read, or rather a motion: .jxl, .psd, .gif, …
  kOther,         ///< anything else, and everything whose name begins with a dot
};

/// By the suffix, in any case.
NamedAs named_as(const std::filesystem::path& path);

}  // namespace unianimate
