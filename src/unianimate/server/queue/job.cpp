#include "unianimate/server/queue/job.h"

#include <algorithm>
#include <array>

namespace unianimate::queue {

namespace {

constexpr std::array<std::string_view, 3> kKinds{"align", "animate", "plan"};
constexpr std::array<std::string_view, 3> kLanes{"pose", "video", "pose"};
constexpr std::array<std::string_view, 6> kStates{"queued", "running", "completed", "failed", "cancelled", "removed"};

template <typename Enum, std::size_t kCount>
std::optional<Enum> find(const std::array<std::string_view, kCount>& words, std::string_view word) {
  const auto* const found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return std::nullopt;
  return static_cast<Enum>(found - words.begin());
}

}  // namespace

std::string_view word(JobKind kind) {
  return kKinds.at(static_cast<std::size_t>(kind));
}

std::string_view word(JobState state) {
  return kStates.at(static_cast<std::size_t>(state));
}

std::optional<JobKind> kind_of(std::string_view word) {
  return find<JobKind>(kKinds, word);
}

std::optional<JobState> state_of(std::string_view word) {
  return find<JobState>(kStates, word);
}

std::string_view lane_of(JobKind kind) {
  return kLanes.at(static_cast<std::size_t>(kind));
}

}  // namespace unianimate::queue
