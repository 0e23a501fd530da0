#include "unianimate/studio/found_motion.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/pose/align/timing.h"
#include "unianimate/pose/align/tracking.h"
#include "unianimate/pose/format/pose_import.h"
#include "unianimate/studio/motion_opening.h"
#include "unianimate/studio/report_folder.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

std::vector<double> times_of(const pose::PoseSequence& sequence) {
  std::vector<double> seconds(sequence.frames.size());
  std::ranges::transform(sequence.frames, seconds.begin(), &pose::PoseFrame::seconds);
  return seconds;
}

void cut(pose::PoseSequence& sequence, const AlignRequest& request) {
  const FrameSourceOptions part = source_options(request);
  times_in_part(request.motion, part, times_of(sequence), sequence.frames_per_second);
  std::erase_if(sequence.frames, [&](const pose::PoseFrame& frame) { return !part.holds(frame.seconds); });
}

/// Nobody's number says that it is the same person as before, where it is only a place in a list.
void track_people(pose::PoseSequence& sequence) {
  std::vector<std::vector<pose::Sighting>> sightings;
  for (const pose::PoseFrame& frame : sequence.frames) {
    auto& list = sightings.emplace_back();
    for (const pose::Person& person : frame.people) list.push_back({person.keypoints, {}});
  }
  const std::vector<std::vector<std::int64_t>> tracks = pose::assign_tracks(sightings, sequence.width, sequence.height);
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
  const double given = request.motion_frames_per_second.value_or(pose::kUntoldFramesPerSecond);
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

}  // namespace

void require_frames(const pose::PoseSequence& sequence, const AlignRequest& request) {
  if (!sequence.frames.empty()) return;
  throw Error(ErrorKind::kInput, "{} gives no frame in the part asked for; give another motion or part",
              printable(request.motion.string()));
}

std::vector<std::string> notes_on(const AlignRequest& request, const FrameSourceInfo& info) {
  std::vector<std::string> notes = info.notes;
  std::error_code ignored;
  const bool has_rate = !fs::is_directory(request.motion, ignored) && says_rate(info.frames_per_second, request);
  std::ranges::move(unused_options(request, has_rate, true), std::back_inserter(notes));
  return notes;
}

pose::PoseSequence import_motion(const AlignRequest& request) {
  const double untold = request.motion_frames_per_second.value_or(pose::kUntoldFramesPerSecond);
  pose::PoseSequence sequence =
      pose::import_poses(request.motion, {request.import_width, request.import_height, untold});
  const bool says_size = sequence.width != request.import_width || sequence.height != request.import_height;
  std::ranges::move(unused_options(request, says_rate(sequence.frames_per_second, request), says_size),
                    std::back_inserter(sequence.notes));
  if (sequence.frames_per_second == 0) sequence.frames_per_second = untold;
  sequence.frames_per_second = pose::rate_of_times(sequence);
  if (sequence.detector == "openpose" || sequence.detector == "comfyui") track_people(sequence);
  cut(sequence, request);
  require_frames(sequence, request);
  return sequence;
}

Motion find_motion(const AlignRequest& request, std::unique_ptr<FrameSource> source, pose::LazyDetector& detector,
                   Progress& progress) {
  if (!source) return {import_motion(request), {}, false, 0};
  for (const std::string& note : notes_on(request, source->info())) progress.note(note);
  const fs::path file =
      pose::found_people_file(report_folder(request.output), request.motion, source_options(request), request.detector);
  pose::FoundPeople found = pose::find_people(*source, request.motion, file, detector, request.threads, progress);
  if (found.from_file) {
    progress.note(fmt::format("the poses found in {} earlier are used again", printable(request.motion.string())));
  }
  require_frames(found.everyone, request);
  found.everyone.frames_per_second = source->info().frames_per_second;
  found.everyone.frames_per_second = pose::rate_of_times(found.everyone);
  return {std::move(found.everyone), source->info(), found.from_file, found.seconds};
}

}  // namespace unianimate::studio
