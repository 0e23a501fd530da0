// What a file holds, as a short name for it.
#pragma once

#include <filesystem>
#include <string>

namespace unianimate {

/// 32 hexadecimal digits, 128-bit MurmurHash3: of the file's bytes; of a folder, of the names and bytes of the files in
/// it, in the order of their names. Equal contents give equal digits; made against accidents, not against forgers.
/// Throws Error(kInput) where it cannot be read.
std::string content_hash(const std::filesystem::path& path);

}  // namespace unianimate
