#include "unianimate/pose/motion.h"
#include "unianimate/media/film/open_frame_source.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/pose/align/timing.h"
#include "unianimate/pose/align/tracking.h"
#include "unianimate/pose/format/pose_import.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

FrameSourceOptions source_options(const AlignRequest& request) {
  FrameSourceOptions options;
  options.start_seconds = request.start_seconds;
  options.end_seconds = request.end_seconds;
  options.folder_frames_per_second = request.motion_frames_per_second.value_or(kUntoldFramesPerSecond);
  options.threads = request.threads;
  return options;
}

std::vector<double> times_of(const PoseSequence& sequence) {
  std::vector<double> seconds(sequence.frames.size());
  std::ranges::transform(sequence.frames, seconds.begin(), &PoseFrame::seconds);
  return seconds;
}

void require_frames(const PoseSequence& sequence, const AlignRequest& request) {
  if (!sequence.frames.empty()) return;
  throw Error(ErrorKind::kInput, "{} gives no frame in the part asked for; give another motion or part",
              printable(request.motion.string()));
}

void cut(PoseSequence& sequence, const AlignRequest& request) {
  const FrameSourceOptions part = source_options(request);
  times_in_part(request.motion, part, times_of(sequence), sequence.frames_per_second);
  std::erase_if(sequence.frames, [&](const PoseFrame& frame) { return !part.holds(frame.seconds); });
}

/// Nobody's number says that it is the same person as before, where it is only a place in a list.
void track_people(PoseSequence& sequence) {
  std::vector<std::vector<Sighting>> sightings;
  for (const PoseFrame& frame : sequence.frames) {
    auto& list = sightings.emplace_back();
    for (const Person& person : frame.people) list.push_back({person.keypoints, {}});
  }
  const std::vector<std::vector<std::int64_t>> tracks = assign_tracks(sightings, sequence.width, sequence.height);
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    for (std::size_t person = 0; person < tracks[i].size(); ++person) {
      sequence.frames[i].people[person].track = tracks[i][person];
    }
  }
}

/// Whether a motion of this rate, above 0 where it has one, says so itself instead of taking what is given. FFmpeg
/// makes the nearest fraction of 23.976.
bool says_rate(double rate, const AlignRequest& request) {
  constexpr double kSame = 1e-3;
  const double given = request.motion_frames_per_second.value_or(kUntoldFramesPerSecond);
  return rate > 0 && std::abs(rate / given - 1) > kSame;
}

/// A sentence about each that concerns what the motion says itself.
std::vector<std::string> unused_options(const AlignRequest& request, bool has_rate, bool says_size) {
  std::vector<std::string> notes;
  if (request.motion_frames_per_second && has_rate) {
    notes.emplace_back("--motion-fps is not used, because the motion says its times itself");
  }
  if (request.import_width > 0 && says_size) {
    notes.emplace_back("--motion-size is not used, because the motion says its size itself");
  }
  return notes;
}

/// What was assumed of the source, and what was given in vain.
std::vector<std::string> notes_on(const AlignRequest& request, const FrameSourceInfo& info) {
  std::vector<std::string> notes = info.notes;
  std::error_code ignored;
  const bool has_rate = !fs::is_directory(request.motion, ignored) && says_rate(info.frames_per_second, request);
  std::ranges::move(unused_options(request, has_rate, true), std::back_inserter(notes));
  return notes;
}

PoseSequence import_motion(const AlignRequest& request) {
  const double untold = request.motion_frames_per_second.value_or(kUntoldFramesPerSecond);
  PoseSequence sequence = import_poses(request.motion, {request.import_width, request.import_height, untold});
  const bool says_size = sequence.width != request.import_width || sequence.height != request.import_height;
  std::ranges::move(unused_options(request, says_rate(sequence.frames_per_second, request), says_size),
                    std::back_inserter(sequence.notes));
  if (sequence.frames_per_second == 0) sequence.frames_per_second = untold;
  sequence.frames_per_second = rate_of_times(sequence);
  if (sequence.detector == "openpose" || sequence.detector == "comfyui") track_people(sequence);
  cut(sequence, request);
  require_frames(sequence, request);
  return sequence;
}

}  // namespace

std::unique_ptr<FrameSource> open_motion(const AlignRequest& request, bool draft) {
  if (holds_pose_numbers(request.motion)) return nullptr;
  FrameSourceOptions options = source_options(request);
  options.draft = draft;
  return open_frame_source(request.motion, options);
}

Motion find_motion(const AlignRequest& request, std::unique_ptr<FrameSource> source, LazyDetector& detector,
                   Progress& progress) {
  if (!source) return {import_motion(request), {}, false, 0};
  for (const std::string& note : notes_on(request, source->info())) progress.note(note);
  const fs::path file =
      found_people_file(report_folder(request.output), request.motion, source_options(request), request.detector);
  FoundPeople found = find_people(*source, request.motion, file, detector, request.threads, progress);
  if (found.from_file) {
    progress.note(fmt::format("the poses found in {} earlier are used again", printable(request.motion.string())));
  }
  require_frames(found.everyone, request);
  found.everyone.frames_per_second = source->info().frames_per_second;
  found.everyone.frames_per_second = rate_of_times(found.everyone);
  return {std::move(found.everyone), source->info(), found.from_file, found.seconds};
}

PoseSequence retimed(PoseSequence sequence, const AlignRequest& request) {
  const double start = sequence.frames.front().seconds;
  for (PoseFrame& frame : sequence.frames) frame.seconds = (frame.seconds - start) / request.speed;
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
  return resample(sequence, rate);
}

MotionTimes read_motion_times(const AlignRequest& request) {
  request.check();
  PoseSequence sequence;
  MotionTimes times;
  if (const std::unique_ptr<FrameSource> source = open_motion(request, false)) {
    const FrameSourceInfo& info = source->info();
    for (const double seconds : info.seconds) sequence.frames.push_back({seconds, {}});
    sequence.frames_per_second = info.frames_per_second;
    sequence.frames_per_second = rate_of_times(sequence);
    times.has_audio = info.has_audio;
    times.notes = notes_on(request, info);
    require_frames(sequence, request);
  } else {
    sequence = import_motion(request);
    times.notes = sequence.notes;
  }
  times.frames = std::ssize(sequence.frames);
  const HeldPauses pauses = hold_pauses(sequence, request.gap_seconds);
  times.has_audio = times.has_audio && request.speed == 1 && pauses.cuts.empty();
  std::ranges::move(describe(pauses), std::back_inserter(times.notes));
  sequence = retimed(std::move(sequence), request);
  times.poses = std::ssize(sequence.frames);
  times.frames_per_second = sequence.frames_per_second;
  return times;
}

}  // namespace unianimate::pose
