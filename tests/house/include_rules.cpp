#include "house/include_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <regex>

namespace unianimate::testing {

namespace fs = std::filesystem;

namespace {

struct Include {
  int line = 0;
  std::string file;  ///< relative to the root
};

bool lies_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

class Check {
 public:
  Check(const fs::path& root, const IncludeRules& rules) : root_(root), rules_(rules) {
    for (const Reserved& reserved : rules.reserved) {
      patterns_.emplace_back(reserved.pattern.data(), reserved.pattern.size());
    }
  }

  std::vector<std::string> run() {
    std::vector<std::string> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root_)) {
      const fs::path kind = entry.path().extension();
      if (kind == ".h" || kind == ".cpp" || kind == ".cu")
        files.push_back(entry.path().lexically_relative(root_).string());
    }
    std::ranges::sort(files);
    for (const std::string& file : files) read(file);
    for (const std::string& file : files) {
      std::vector<std::string> way;
      find_circle(file, way);
    }
    return std::move(problems_);
  }

 private:
  void read(const std::string& file) {
    const Room* room = room_of(file);
    if (room == nullptr) {
      problems_.push_back(fmt::format("{}:1: its folder is no room of the house; add it to the table of rooms", file));
      return;
    }
    std::ifstream stream(root_ / file);
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
      const std::string code = line.substr(0, line.find("//"));
      check_reserved(file, number, code);
      check_include(file, *room, number, code);
    }
  }

  void check_reserved(const std::string& file, int number, const std::string& code) {
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      const Reserved& reserved = rules_.reserved[i];
      const bool is_allowed = std::ranges::any_of(reserved.rooms, [&](auto folder) { return lies_in(file, folder); });
      if (is_allowed || !std::regex_search(code, patterns_[i])) continue;
      problems_.push_back(
          fmt::format("{}:{}: {} belongs into {} only", file, number, reserved.what, fmt::join(reserved.rooms, ", ")));
    }
  }

  void check_include(const std::string& file, const Room& room, int number, const std::string& code) {
    static const std::regex kOwnInclude(R"re(^\s*#\s*include\s*"unianimate/([^"]+)")re");
    std::smatch match;
    if (!std::regex_search(code, match, kOwnInclude)) return;
    const std::string included = match[1];
    includes_[file].push_back({number, included});
    const Room* other = room_of(included);
    if (other == nullptr) {
      problems_.push_back(fmt::format("{}:{}: {} lies in no room of the house", file, number, included));
    } else if (other != &room && std::ranges::find(room.may_include, other->folder) == room.may_include.end()) {
      problems_.push_back(fmt::format("{}:{}: {} may not include {}, of which {} is; it may include {}", file, number,
                                      room.folder, other->folder, included, fmt::join(room.may_include, ", ")));
    }
  }

  /// The innermost room.
  [[nodiscard]] const Room* room_of(std::string_view file) const {
    const Room* found = nullptr;
    for (const Room& room : rules_.rooms) {
      const bool is_inner = found == nullptr || room.folder.size() > found->folder.size();
      if (is_inner && lies_in(file, room.folder)) found = &room;
    }
    return found;
  }

  /// `way`: the files that led here.
  void find_circle(const std::string& file, std::vector<std::string>& way) {
    State& state = states_[file];
    if (state == State::kDone) return;
    if (state == State::kOpen) {
      const auto begin = std::ranges::find(way, file);
      problems_.push_back(fmt::format("{}:1: it includes itself in a circle: {} -> {}", file,
                                      fmt::join(begin, way.end(), " -> "), file));
      return;
    }
    state = State::kOpen;
    way.push_back(file);
    for (const Include& include : includes_[file]) find_circle(include.file, way);
    way.pop_back();
    states_[file] = State::kDone;
  }

  enum class State { kNew, kOpen, kDone };

  const fs::path& root_;
  const IncludeRules& rules_;
  std::vector<std::regex> patterns_;
  std::map<std::string, std::vector<Include>> includes_;
  std::map<std::string, State> states_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> broken_rules(const fs::path& root, const IncludeRules& rules) {
  return Check(root, rules).run();
}

}  // namespace unianimate::testing
