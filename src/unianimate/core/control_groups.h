// What the control groups around this process let it use, as containers and batch systems set them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>

namespace unianimate {

struct ControlGroupLimits {
  /// Bytes that can still be taken; the largest number where nothing limits them.
  std::int64_t memory_room = std::numeric_limits<std::int64_t>::max();
  /// Processors' worth of time; infinity where nothing limits it.
  double processors = std::numeric_limits<double>::infinity();
};

/// The smallest limits of the process's own groups and all above them that can be seen, of versions 1 and 2. `root` is
/// where /proc and /sys lie. What cannot be read limits nothing.
ControlGroupLimits read_control_groups(const std::filesystem::path& root = "/");

/// Processes of this process's own group, and of those in it, that were ended for want of memory so far; 0 where the
/// kernel does not count them. `root` as above.
std::int64_t count_memory_kills(const std::filesystem::path& root = "/");

}  // namespace unianimate
