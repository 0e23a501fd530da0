// Where the report on a pose folder lies.
#pragma once

#include <filesystem>

namespace unianimate::studio {

/// Where prepare_poses() puts what is no pose picture: "dance" -> "dance-report", or "dance-report-2" where a file has
/// that name. Files in it that this program did not write are left alone.
std::filesystem::path report_folder(const std::filesystem::path& output);

}  // namespace unianimate::studio
