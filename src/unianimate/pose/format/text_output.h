// Inside pose: text files that are written piece by piece.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>

namespace unianimate::pose {

/// Makes or replaces a file and lets `write` fill it. Throws Error(kEnvironment) where that fails, and what `write`
/// throws.
void write_text(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

/// The same aside, and then moves the file to `path`; where anything is thrown, what stood there is untouched.
void write_text_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

}  // namespace unianimate::pose
