// What a file is, by how it begins.
#pragma once

#include <cstddef>
#include <string_view>

namespace unianimate::store {

/// So much of the beginning is looked at.
constexpr std::size_t kSniffedBytes = 512;

/// "image/jpeg", "video/mp4", "application/json", …: of the pictures, videos and poses that jobs can be made from.
/// Empty for anything else. A file of JSON is only known to begin like one.
std::string_view content_type(std::string_view beginning);

/// ".jpg"; throws Error(kUsage) for what content_type() does not give.
std::string_view ending_of(std::string_view type);

}  // namespace unianimate::store
