// How a file tells that this program wrote it. docs/formats.md lists the mark of each format.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace unianimate {

/// Every mark is this name, or begins with it and says what the file is for.
inline constexpr std::string_view kMark = "unianimate";
inline constexpr std::string_view kPreviewMark = "unianimate preview";
inline constexpr std::string_view kPictureMark = "unianimate picture";
inline constexpr std::string_view kTraceMark = "unianimate trace";
inline constexpr std::string_view kPosePictureMark = "unianimate pose picture";
/// The first line of the file that says so of a folder.
inline constexpr std::string_view kUnfinishedMark = "unianimate unfinished";

/// The field of a safetensors file's metadata that holds kMark; it stands first.
inline constexpr std::string_view kMetadataMarkField = "written_by";
/// The field of JSON objects that holds kMark; it stands first.
inline constexpr std::string_view kJsonMarkField = "generator";
/// The first line of Markdown files.
inline constexpr std::string_view kMarkdownMark = "<!-- unianimate -->\n";

/// The mark of the file; empty where it has none that this program writes, or cannot be read. Looks at the file's
/// content alone: PNG, JPEG, MP4, Matroska, WebM, GIF, safetensors, JSON and Markdown.
std::string written_mark(const std::filesystem::path& file);

/// Whether this program wrote the file, whatever it is for.
bool is_own_file(const std::filesystem::path& file);

}  // namespace unianimate
