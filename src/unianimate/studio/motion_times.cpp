#include "unianimate/studio/motion_times.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>

#include "unianimate/pose/align/timing.h"
#include "unianimate/studio/found_motion.h"
#include "unianimate/studio/motion_opening.h"

namespace unianimate::studio {

pose::PoseSequence retimed(pose::PoseSequence sequence, const AlignRequest& request) {
  const double start = sequence.frames.front().seconds;
  for (pose::PoseFrame& frame : sequence.frames) frame.seconds = (frame.seconds - start) / request.speed;
  const double own_rate = sequence.frames_per_second * request.speed;
  const double rate = request.frames_per_second.value_or(sequence.frames_per_second);
  double worst = 0;
  for (std::size_t i = 0; i < sequence.frames.size(); ++i) {
    worst = std::max(worst, std::abs(sequence.frames[i].seconds * own_rate - static_cast<double>(i)));
  }
  constexpr double kEven = 0.3;
  if (rate == own_rate && worst < kEven) {
    sequence.frames_per_second = rate;
    return sequence;
  }
  return pose::resample(sequence, rate);
}

MotionTimes read_motion_times(const AlignRequest& request) {
  request.check();
  pose::PoseSequence sequence;
  MotionTimes times;
  if (const std::unique_ptr<FrameSource> source = open_motion(request, false)) {
    const FrameSourceInfo& info = source->info();
    for (const double seconds : info.seconds) sequence.frames.push_back({seconds, {}});
    sequence.frames_per_second = info.frames_per_second;
    sequence.frames_per_second = pose::rate_of_times(sequence);
    times.has_audio = info.has_audio;
    times.notes = notes_on(request, info);
    require_frames(sequence, request);
  } else {
    sequence = import_motion(request);
    times.notes = sequence.notes;
  }
  times.frames = std::ssize(sequence.frames);
  const pose::HeldPauses pauses = pose::hold_pauses(sequence, request.gap_seconds);
  times.has_audio = times.has_audio && request.speed == 1 && pauses.cuts.empty();
  std::ranges::move(pose::describe(pauses), std::back_inserter(times.notes));
  sequence = retimed(std::move(sequence), request);
  times.poses = std::ssize(sequence.frames);
  times.frames_per_second = sequence.frames_per_second;
  return times;
}

}  // namespace unianimate::studio
