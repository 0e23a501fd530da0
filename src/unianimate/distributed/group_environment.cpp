#include "unianimate/distributed/group_environment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "unianimate/core/error.h"

namespace unianimate::distributed {

namespace {

constexpr int kLargestGroup = 1'000'000;

/// The variables with which one way of starting processes tells each its place.
struct Launcher {
  const char* rank;
  const char* size;
  const char* local_rank;
};

constexpr std::array<Launcher, 4> kLaunchers{{
    {"RANK", "WORLD_SIZE", "LOCAL_RANK"},
    {"SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"},
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"},
    {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"},
}};

/// The launcher that started this process, or null. Slurm sets the number of tasks for scripts that are none, too, so
/// that it counts from the rank on.
const Launcher* find_launcher() {
  const auto set = [](const Launcher& launcher) {
    const bool sizes_tell = launcher.size != std::string_view("SLURM_NTASKS");
    return std::getenv(launcher.rank) != nullptr || (sizes_tell && std::getenv(launcher.size) != nullptr);
  };
  const auto* found = std::find_if(kLaunchers.begin(), kLaunchers.end(), set);
  return found == kLaunchers.end() ? nullptr : found;
}

std::string required(const char* name, std::string_view because) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') {
    throw Error(ErrorKind::kUsage,
                "the environment variable {} is not set, which {} needs; set it, or unset the others to work alone",
                name, because);
  }
  return text;
}

int number(const char* name, std::string_view text, int smallest, int largest) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < smallest || value > largest) {
    throw Error(ErrorKind::kUsage, "the environment variable {} should be a whole number from {} to {}, but is '{}'",
                name, smallest, largest, printable(text));
  }
  return value;
}

}  // namespace

GroupEnvironment read_group_environment() {
  const Launcher* launcher = find_launcher();
  GroupEnvironment group;
  if (launcher == nullptr) return group;

  const std::string place =
      fmt::format("a process started as one of several (by {} or {})", launcher->rank, launcher->size);
  group.size = number(launcher->size, required(launcher->size, place), 1, kLargestGroup);
  group.rank = number(launcher->rank, required(launcher->rank, place), 0, group.size - 1);
  group.local_rank = group.rank;
  if (const char* local = std::getenv(launcher->local_rank); local != nullptr)
    group.local_rank = number(launcher->local_rank, local, 0, group.size - 1);
  if (group.size == 1) return group;

  const std::string meeting = fmt::format("a group of {} processes", group.size);
  group.master_address = required("MASTER_ADDR", meeting);
  group.master_port = static_cast<std::uint16_t>(
      number("MASTER_PORT", required("MASTER_PORT", meeting), 1, std::numeric_limits<std::uint16_t>::max()));
  const char* served = std::getenv("TORCHELASTIC_USE_AGENT_STORE");
  group.store_is_served = served != nullptr && served == std::string_view("True");
  if (const char* socket = std::getenv("UNIANIMATE_MASTER_SOCKET"); socket != nullptr && group.rank == 0)
    group.master_socket = number("UNIANIMATE_MASTER_SOCKET", socket, 0, std::numeric_limits<int>::max());
  if (const char* attempt = std::getenv("TORCHELASTIC_RESTART_COUNT"); attempt != nullptr) group.attempt = attempt;
  return group;
}

}  // namespace unianimate::distributed
