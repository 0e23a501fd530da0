#include "unianimate/studio/pose_preparation.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/align/timing.h"
#include "unianimate/pose/align/tracking.h"
#include "unianimate/pose/detect/people_search.h"
#include "unianimate/pose/draw/pose_folder_writer.h"
#include "unianimate/pose/format/pose_json.h"
#include "unianimate/pose/report/alignment_plot.h"
#include "unianimate/pose/report/contact_sheet.h"
#include "unianimate/studio/found_motion.h"
#include "unianimate/studio/motion_opening.h"
#include "unianimate/studio/motion_times.h"
#include "unianimate/studio/preview_video.h"
#include "unianimate/studio/reference_person.h"
#include "unianimate/studio/report_folder.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

std::int64_t frames_with_people(const pose::PoseSequence& sequence) {
  return std::ranges::count_if(sequence.frames, [](const pose::PoseFrame& frame) { return !frame.people.empty(); });
}

std::string count_of(std::size_t frames) {
  return frames == 1 ? "1 frame" : fmt::format("{} frames", frames);
}

/// What filling gaps did, for the report.
void tell_gaps(const pose::FilledGaps& gaps, pose::AlignmentReport& report) {
  std::vector<std::string> notes;
  if (!gaps.interpolated.empty()) {
    notes.push_back(fmt::format("the person was not found in {}, where the pose is interpolated",
                                count_of(gaps.interpolated.size())));
  }
  if (!gaps.held.empty()) {
    notes.push_back(
        fmt::format("the person was not found in {} and for too long to interpolate, so the nearest pose "
                    "is held there",
                    count_of(gaps.held.size())));
  }
  report.notes.insert(report.notes.begin(), notes.begin(), notes.end());
}

std::vector<std::int64_t> filled_frames(const pose::PoseSequence& sequence) {
  std::vector<std::int64_t> frames;
  for (std::size_t i = 0; i < sequence.frames.size(); ++i) {
    const std::vector<pose::Person>& people = sequence.frames[i].people;
    if (people.empty() || people.front().filled) frames.push_back(static_cast<std::int64_t>(i));
  }
  return frames;
}

Inputs inputs_of(const AlignRequest& request) {
  Inputs inputs;
  inputs.add(request.reference);
  inputs.add_folder(request.motion);
  return inputs;
}

}  // namespace

AlignResult prepare_poses(const AlignRequest& request, Progress& progress) {
  request.check();
  const Inputs inputs = inputs_of(request);
  inputs.refuse(request.output);
  const ReferencePicture reference_file = read_reference(request.reference, request.background);
  const Image& reference_picture = reference_file.image;
  make_folder(fs::absolute(without_trailing_separator(request.output)).parent_path());
  // Both say now what would fail later.
  pose::PoseFolderWriter(request.output);
  std::unique_ptr<FrameSource> source = open_motion(request, false);
  pose::LazyDetector detector(request.detector, progress);

  // 1. who is where
  const pose::ReferencePose reference = find_reference(reference_picture, request.reference, detector, progress);
  Motion motion = find_motion(request, std::move(source), detector, progress);
  pose::PoseSequence driver = pose::choose_person(motion.everyone, request.person);
  const std::vector<std::string> import_notes = std::move(motion.everyone.notes);
  motion.everyone = {};

  // 2. the driver without gaps, in time
  AlignResult result;
  result.frames_looked_at = static_cast<std::int64_t>(driver.frames.size());
  result.frames_found = frames_with_people(driver);
  result.audio_start_seconds = driver.frames.front().seconds;
  const pose::HeldPauses pauses = pose::hold_pauses(driver, request.gap_seconds);
  result.has_audio = motion.source.has_audio && request.speed == 1 && pauses.cuts.empty();
  result.from_cache = motion.from_cache;
  result.detection_seconds = motion.detection_seconds;
  const pose::PoseSequence seen = retimed(driver, request);
  const bool published = request.alignment.method == pose::AlignmentMethod::kPublished;
  const pose::FilledGaps gaps = pose::fill_gaps(driver, request.gap_seconds,
                                                published ? pose::GapKind::kPeople : pose::GapKind::kPeopleAndPoints);
  driver = retimed(std::move(driver), request);
  if (request.smooth) pose::smooth(driver);

  // 3. the reference's bones
  result.poses = pose::align_poses(driver, reference, request.alignment);
  pose::AlignmentReport& report = result.poses.report;
  report.missing_frames = filled_frames(driver);
  tell_gaps(gaps, report);
  report.notes.insert(report.notes.begin(), import_notes.begin(), import_notes.end());
  std::ranges::move(pose::describe(pauses), std::back_inserter(report.notes));
  report.notes.insert(report.notes.begin(), reference_file.notes.begin(), reference_file.notes.end());
  if (motion.source.has_audio && request.speed != 1) {
    report.notes.emplace_back("the motion's sound is left out, because its speed is changed");
  } else if (motion.source.has_audio && !result.has_audio) {
    report.notes.emplace_back("the motion's sound is left out, because a pause is cut");
  }
  for (const std::string& note : report.notes) progress.note(note);

  // 4. files
  result.report_folder = report_folder(request.output);
  make_folder(result.report_folder);
  const auto place = [&](const char* name, std::string_view mark) {
    return own_place(result.report_folder / name, mark, inputs, progress);
  };
  auto report_files = std::async(
      std::launch::async, [&, numbers = place("poses.json", kMark), sheet = place("contact_sheet.png", kPictureMark),
                           bones = place("bones.png", kPictureMark)] {
        pose::write_poses(numbers, result.poses);
        write_png(sheet, pose::contact_sheet(result.poses, reference_picture));
        write_png(bones, pose::alignment_plot(result.poses, seen));
      });
  pose::draw_pose_folder(result.poses, request.output, request.threads, progress);
  if (request.preview) {
    write_preview(request, place("preview.mp4", kPreviewMark), driver, pauses, result.poses, reference_picture,
                  progress);
  }
  report_files.get();
  return result;
}

}  // namespace unianimate::studio
