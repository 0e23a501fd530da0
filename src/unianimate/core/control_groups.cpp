#include "unianimate/core/control_groups.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace unianimate {

namespace fs = std::filesystem;

namespace {

/// Version 1 writes numbers beyond this where there is no limit.
constexpr std::int64_t kNoLimit = std::int64_t{1} << 62;

/// The number that begins the file; nothing where there is none, as in "max".
std::optional<std::int64_t> number_in(const fs::path& file) {
  std::ifstream stream(file);
  std::int64_t number = 0;
  if (stream >> number) return number;
  return std::nullopt;
}

/// The number behind `name` in a file of such lines.
std::optional<std::int64_t> number_in(const fs::path& file, std::string_view name) {
  std::ifstream stream(file);
  std::string found;
  std::int64_t number = 0;
  while (stream >> found >> number) {
    if (found == name) return number;
  }
  return std::nullopt;
}

/// Cached files count as used, but are given up when memory is wanted.
void limit_memory(std::optional<std::int64_t> limit, std::optional<std::int64_t> used,
                  std::optional<std::int64_t> reclaimable, ControlGroupLimits& limits) {
  if (!limit || *limit < 0 || *limit >= kNoLimit || !used || *used < 0) return;
  const std::int64_t needed = *used - std::clamp<std::int64_t>(reclaimable.value_or(0), 0, *used);
  limits.memory_room = std::min(limits.memory_room, std::max<std::int64_t>(0, *limit - needed));
}

void limit_processors(std::optional<std::int64_t> quota, std::optional<std::int64_t> period,
                      ControlGroupLimits& limits) {
  if (!quota || *quota <= 0 || !period || *period <= 0) return;
  limits.processors = std::min(limits.processors, static_cast<double>(*quota) / static_cast<double>(*period));
}

/// One kind of control group, and how its files name the limits of a group.
struct Hierarchy {
  std::string_view file_system;  ///< as mountinfo names it
  std::string_view controller;   ///< as /proc/self/cgroup names it; empty for all
  std::array<std::string_view, 2> usual_places;
  void (*read)(const fs::path& group, ControlGroupLimits& limits);
  const char* memory_events = nullptr;  ///< file that counts who was ended for want of memory
};

void read_version_2(const fs::path& group, ControlGroupLimits& limits) {
  const auto used = number_in(group / "memory.current");
  const auto reclaimable = number_in(group / "memory.stat", "inactive_file");
  for (const char* limit : {"memory.max", "memory.high"}) {
    limit_memory(number_in(group / limit), used, reclaimable, limits);
  }
  std::ifstream quota_and_period(group / "cpu.max");
  std::int64_t quota = 0;
  std::int64_t period = 0;
  if (quota_and_period >> quota >> period) limit_processors(quota, period, limits);
}

void read_memory_of_version_1(const fs::path& group, ControlGroupLimits& limits) {
  const fs::path details = group / "memory.stat";
  const auto used = number_in(group / "memory.usage_in_bytes");
  const auto reclaimable = number_in(details, "total_inactive_file");
  limit_memory(number_in(group / "memory.limit_in_bytes"), used, reclaimable, limits);
  // That of groups above, which a container does not see.
  limit_memory(number_in(details, "hierarchical_memory_limit"), used, reclaimable, limits);
}

void read_processors_of_version_1(const fs::path& group, ControlGroupLimits& limits) {
  limit_processors(number_in(group / "cpu.cfs_quota_us"), number_in(group / "cpu.cfs_period_us"), limits);
}

constexpr std::array<Hierarchy, 3> kHierarchies{{
    {"cgroup2", "", {"sys/fs/cgroup", "sys/fs/cgroup/unified"}, read_version_2, "memory.events"},
    {"cgroup", "memory", {"sys/fs/cgroup/memory"}, read_memory_of_version_1, "memory.oom_control"},
    {"cgroup", "cpu", {"sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"}, read_processors_of_version_1},
}};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream{std::string(text)};
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

bool names(std::string_view list, std::string_view controller) {
  const std::vector<std::string> parts = split(list, ',');
  return std::ranges::find(parts, controller) != parts.end();
}

/// "0::/user.slice" or "4:cpu,cpuacct:/batch/job_7" of /proc/self/cgroup.
fs::path own_group(const Hierarchy& hierarchy, const fs::path& root) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_it = hierarchy.controller.empty() ? controllers.empty() : names(controllers, hierarchy.controller);
    if (is_it) return line.substr(second + 1);
  }
  return "/";
}

/// mountinfo writes a space, for one, as "\040".
std::string unescaped(std::string_view text) {
  constexpr std::size_t kDigits = 3;
  constexpr int kOctal = 8;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view digits = text.substr(i + 1, kDigits);
    const bool escaped =
        text[i] == '\\' && digits.size() == kDigits && digits.find_first_not_of("01234567") == std::string_view::npos;
    out += escaped ? static_cast<char>(std::stoi(std::string(digits), nullptr, kOctal)) : text[i];
    if (escaped) i += kDigits;
  }
  return out;
}

struct Mount {
  fs::path group;  ///< what of the hierarchy is mounted
  fs::path place;
};

/// Those of mountinfo, and the usual places, which another mount may hide.
std::vector<Mount> mounts(const Hierarchy& hierarchy, const fs::path& root) {
  std::vector<Mount> all;
  for (const std::string_view place : hierarchy.usual_places) {
    if (!place.empty()) all.push_back({"/", root / place});
  }
  constexpr std::size_t kGroup = 3;
  constexpr std::size_t kPlace = 4;
  constexpr std::size_t kFieldsBehindDash = 3;  // type, source, options
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> fields = split(line, ' ');
    const auto dash = std::ranges::find(fields, "-");
    if (fields.end() - dash <= static_cast<std::ptrdiff_t>(kFieldsBehindDash) || dash - fields.begin() <= 4) continue;
    const bool is_it =
        dash[1] == hierarchy.file_system && (hierarchy.controller.empty() || names(dash[3], hierarchy.controller));
    if (is_it) {
      all.push_back({unescaped(fields[kGroup]), root / fs::path(unescaped(fields[kPlace])).relative_path()});
    }
  }
  return all;
}

/// Where the files of `group` and of the groups above it lie, as far as they are mounted.
std::vector<fs::path> folders_of(const fs::path& group, const Mount& mount) {
  fs::path below = group.lexically_relative(mount.group);
  // Groups outside of what is mounted, as in a container, are not seen; what is mounted is then the process's own.
  const bool inside = !below.empty() && *below.begin() != "..";
  if (!inside || below == ".") below.clear();
  std::vector<fs::path> folders;
  for (; !below.empty(); below = below.parent_path()) folders.push_back(mount.place / below);
  folders.push_back(mount.place);
  return folders;
}

}  // namespace

ControlGroupLimits read_control_groups(const fs::path& root) {
  ControlGroupLimits limits;
  for (const Hierarchy& hierarchy : kHierarchies) {
    const fs::path group = own_group(hierarchy, root);
    for (const Mount& mount : mounts(hierarchy, root)) {
      for (const fs::path& folder : folders_of(group, mount)) hierarchy.read(folder, limits);
    }
  }
  return limits;
}

std::int64_t count_memory_kills(const fs::path& root) {
  std::int64_t kills = 0;
  for (const Hierarchy& hierarchy : kHierarchies) {
    if (hierarchy.memory_events == nullptr) continue;
    const fs::path group = own_group(hierarchy, root);
    // More than one may be the same.
    for (const Mount& mount : mounts(hierarchy, root)) {
      const fs::path own = folders_of(group, mount).front();
      kills = std::max(kills, number_in(own / hierarchy.memory_events, "oom_kill").value_or(0));
    }
  }
  return kills;
}

}  // namespace unianimate
