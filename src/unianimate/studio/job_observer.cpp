#include "unianimate/studio/job_observer.h"

namespace unianimate::studio {

void JobObserver::phase_begins(const pipeline::PhasePlace& /*place*/) {}
void JobObserver::begin_video(const VideoJob& /*job*/, std::size_t /*index*/, std::size_t /*count*/) {}
void JobObserver::planned(const PlannedVideo& /*video*/) {}
void JobObserver::finished(const FinishedVideo& /*video*/) {}
void JobObserver::aligned(const AlignedMotion& /*motion*/) {}
void JobObserver::detected(const DetectedMotion& /*motion*/) {}

void NotesOnce::note(const std::string& message) {
  if (told_.insert(message).second) observer_.note(message);
}

void NotesOnce::begin_video(const VideoJob& job, std::size_t index, std::size_t count) {
  // What was told before the first video concerns that one, too.
  if (index > 0) told_.clear();
  observer_.begin_video(job, index, count);
}

}  // namespace unianimate::studio
