#include "unianimate/core/memory.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <utility>

#include "unianimate/core/control_groups.h"
#include "unianimate/core/error.h"

namespace unianimate {

namespace {

/// The value in bytes of a "Name:   123 kB" line of a /proc file, -1 where there is none.
std::int64_t proc_kilobytes(const char* path, std::string_view name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.size() <= name.size() || !line.starts_with(name) || line[name.size()] != ':') continue;
    return std::strtoll(line.c_str() + name.size() + 1, nullptr, 10) * 1024;
  }
  return -1;
}

}  // namespace

std::int64_t peak_resident_bytes() {
  return std::max<std::int64_t>(0, proc_kilobytes("/proc/self/status", "VmHWM"));
}

std::int64_t resident_bytes() {
  return std::max<std::int64_t>(0, proc_kilobytes("/proc/self/status", "VmRSS"));
}

void reset_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

void release_freed_memory() noexcept {
  ::malloc_trim(0);
}

std::int64_t available_memory_bytes() {
  std::int64_t available = proc_kilobytes("/proc/meminfo", "MemAvailable");
  if (available < 0) available = std::numeric_limits<std::int64_t>::max();
  return std::min(available, read_control_groups().memory_room);
}

std::int64_t parse_bytes(std::string_view text, std::string_view what) {
  const auto refuse = [&]() -> Error {
    return {ErrorKind::kUsage, "{} expects a size such as 9GB, 512MiB or a number of bytes, found '{}'", what,
            printable(text)};
  };
  double number = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || !std::isfinite(number) || number < 0) throw refuse();
  std::string unit;
  for (const char* at = rest; at != text.data() + text.size(); ++at) {
    if (*at != ' ') unit += static_cast<char>(std::tolower(static_cast<unsigned char>(*at)));
  }
  static constexpr std::array<std::pair<std::string_view, double>, 11> kUnits{{{"", 1.0},
                                                                               {"b", 1.0},
                                                                               {"kb", 1e3},
                                                                               {"mb", 1e6},
                                                                               {"gb", 1e9},
                                                                               {"kib", 1024.0},
                                                                               {"mib", 1048576.0},
                                                                               {"gib", 1073741824.0},
                                                                               {"k", 1024.0},
                                                                               {"m", 1048576.0},
                                                                               {"g", 1073741824.0}}};
  const auto* const found = std::ranges::find(kUnits, unit, &std::pair<std::string_view, double>::first);
  if (found == kUnits.end() || number * found->second > 9e18) throw refuse();
  return static_cast<std::int64_t>(number * found->second);
}

std::string format_bytes(std::int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value >= 1e9) return fmt::format("{:.2f} GB", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.0f} MB", value / 1e6);
  if (value >= 1e3) return fmt::format("{:.0f} kB", value / 1e3);
  return fmt::format("{} bytes", bytes);
}

}  // namespace unianimate
