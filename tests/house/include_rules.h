// Who may include whom in src/unianimate, as docs/architecture.md draws it.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unianimate::testing {

/// A folder and all below it that is no folder of its own here; paths are relative to src/unianimate.
struct Room {
  std::string_view folder;
  std::vector<std::string_view> may_include;  ///< other rooms
};

/// What stands in a source file and belongs into few rooms only.
struct Reserved {
  std::string_view pattern;  ///< regular expression, looked for in lines without their comment
  std::string_view what;
  std::vector<std::string_view> rooms;  ///< folders; what is below them is meant too
};

struct IncludeRules {
  std::vector<Room> rooms;
  std::vector<Reserved> reserved;
};

/// Of this program.
const IncludeRules& house_rules();

/// What in the sources below `root` breaks the rules, one sentence each that begins with "FILE:LINE: ": rooms that
/// include what they may not, folders that are no room, reserved things elsewhere, files that include each other in a
/// circle.
std::vector<std::string> broken_rules(const std::filesystem::path& root, const IncludeRules& rules);

}  // namespace unianimate::testing
