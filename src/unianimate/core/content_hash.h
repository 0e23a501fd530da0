// What a file holds, as a short name for it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace unianimate {

/// What every hash begins with, so that one of another algorithm is never taken for a change of the content.
inline constexpr std::string_view kHashAlgorithm = "xxh3-";

/// kHashAlgorithm and 32 hexadecimal digits, the 128 bits of XXH3: of the file's bytes; of a folder, of the names and
/// bytes of the files in it, in the order of their names. Equal contents give equal digits; made against accidents, not
/// against forgers. Throws Error(kInput) where it cannot be read.
std::string content_hash(const std::filesystem::path& path);

/// The same of bytes in memory.
std::string content_hash_of(std::string_view bytes);

/// The same for a file of up to 16 MiB; of a larger one, of its size and of 256 pieces of 64 KiB spread evenly over it:
/// enough to tell one checkpoint of gigabytes from another at once.
std::string sampled_hash(const std::filesystem::path& file);

}  // namespace unianimate
