#include "unianimate/core/path_hint.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <string_view>

#include "unianimate/core/error.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool is_quote(char c) {
  return c == '\'' || c == '"';
}

/// Without spaces around it.
std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t first = std::min(text.find_first_not_of(kSpaces), text.size());
  return std::string(text.substr(first, text.find_last_not_of(kSpaces) + 1 - first));
}

}  // namespace

std::string path_hint(const fs::path& path) {
  const std::string& text = path.native();
  constexpr std::string_view kFile = "file://";
  if (text.starts_with(kFile)) {
    return fmt::format("; it is an address, where a path is expected: {}", printable(text.substr(kFile.size())));
  }
  if (text.starts_with("http://") || text.starts_with("https://")) {
    return "; it is an address, and nothing is fetched from the network: download it";
  }
  // Relative paths of a configuration come with a folder in front of them.
  if (text.starts_with('~') || text.find("/~/") != std::string::npos) {
    return "; only a shell knows what '~' is: write the home folder out";
  }
  if (text.size() > 1 && is_quote(text.front()) && is_quote(text.back())) {
    return "; the quotation marks are taken for a part of the name: leave them out";
  }
  if (text.find('\\') != std::string::npos) {
    std::string turned = text;
    std::ranges::replace(turned, '\\', '/');
    return fmt::format("; folders are separated by '/' here, not by '\\'{}",
                       is_there(turned) ? ": " + printable(turned) : "");
  }
  if (const std::string inner = trimmed(text); inner != text && is_there(inner)) {
    return fmt::format("; {} is there: leave out the spaces around it", printable(inner));
  }
  for (const fs::path& name : path) {
    if (name.native().size() <= NAME_MAX) continue;
    return fmt::format("; a name can have {} bytes at most, and one in it has {}", NAME_MAX, name.native().size());
  }
  return "";
}

}  // namespace unianimate
