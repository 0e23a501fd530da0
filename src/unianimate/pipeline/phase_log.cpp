#include "unianimate/pipeline/phase_log.h"

#include <array>

#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"

namespace unianimate::pipeline {

std::string phase_name(PhaseKind kind) {
  constexpr std::array<const char*, 7> kNames{"take poses", "read pictures", "encode reference", "load UNet",
                                              "sample",     "decode",        "write video"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string PhasePlace::name() const {
  const std::string work = phase_name(kind);
  return segments == 1 ? work : fmt::format("{} {}/{}", work, segment + 1, segments);
}

void PhaseLog::begin(const PhasePlace& place, std::int64_t total, double operations) {
  end();
  reset_peak_memory();
  present_ = place;
  operations_ = operations;
  start_ = std::chrono::steady_clock::now();
  if (begins_) begins_(place);
  progress_.begin_phase(place.name(), total);
}

void PhaseLog::end() {
  if (!present_) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  phases_.push_back({*present_, seconds, operations_, peak_resident_bytes()});
  present_.reset();
}

}  // namespace unianimate::pipeline
