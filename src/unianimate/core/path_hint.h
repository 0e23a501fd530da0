// What is likely to be wrong with a path under which nothing is found.
#pragma once

#include <filesystem>
#include <string>

namespace unianimate {

/// To be put behind a sentence about a path that leads to nothing: "; …" where the path looks as if it was meant for
/// something else than the file system (an address, '~', a path of Windows, quotes or spaces around it) or a name in it
/// is too long; else empty. Looks at the file system only to tell what else is there.
std::string path_hint(const std::filesystem::path& path);

}  // namespace unianimate
