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

/// The person of a motion, at the times of the poses.
struct Driver {
  pose::PoseSequence seen;   ///< as they were found
  pose::PoseSequence poses;  ///< without gaps
  pose::HeldPauses pauses;
  pose::FilledGaps gaps;
};

Driver put_in_time(pose::PoseSequence person, const AlignRequest& request) {
  Driver driver;
  driver.pauses = pose::hold_pauses(person, request.gap_seconds);
  driver.seen = retimed(person, request);
  const bool published = request.alignment.method == pose::AlignmentMethod::kPublished;
  driver.gaps = pose::fill_gaps(person, request.gap_seconds,
                                published ? pose::GapKind::kPeople : pose::GapKind::kPeopleAndPoints);
  driver.poses = retimed(std::move(person), request);
  if (request.smooth) pose::smooth(driver.poses);
  return driver;
}

/// Why the sound of a motion that has some does not go with its poses; empty where it does.
std::string why_silent(const AlignRequest& request, const pose::HeldPauses& pauses) {
  if (request.speed != 1) return "the motion's sound is left out, because its speed is changed";
  if (!pauses.cuts.empty()) return "the motion's sound is left out, because a pause is cut";
  return {};
}

/// Puts in front of what the alignment noted: the reference's notes, those of the motion's file, and the gaps.
void complete_report(const Driver& driver, const std::vector<std::string>& of_reference,
                     const std::vector<std::string>& of_import, pose::AlignmentReport& report) {
  report.missing_frames = filled_frames(driver.poses);
  tell_gaps(driver.gaps, report);
  report.notes.insert(report.notes.begin(), of_import.begin(), of_import.end());
  std::ranges::move(pose::describe(driver.pauses), std::back_inserter(report.notes));
  report.notes.insert(report.notes.begin(), of_reference.begin(), of_reference.end());
}

/// The pose folder, and what stands beside it.
void write_files(const AlignRequest& request, const Driver& driver, const Image& reference, const AlignResult& result,
                 Progress& progress) {
  const Inputs inputs = inputs_of(request);
  make_folder(result.report_folder);
  const auto place = [&](const char* name, std::string_view mark) {
    return own_place(result.report_folder / name, mark, inputs, progress);
  };
  auto report_files = std::async(
      std::launch::async, [&, numbers = place("poses.json", kMark), sheet = place("contact_sheet.png", kPictureMark),
                           bones = place("bones.png", kPictureMark)] {
        pose::write_poses(numbers, result.poses);
        write_png(sheet, pose::contact_sheet(result.poses, reference));
        write_png(bones, pose::alignment_plot(result.poses, driver.seen));
      });
  pose::draw_pose_folder(result.poses, request.output, request.threads, progress);
  if (request.preview) {
    write_preview(request, place("preview.mp4", kPreviewMark), driver.poses, driver.pauses, result.poses, reference,
                  progress);
  }
  report_files.get();
}

}  // namespace

AlignResult prepare_poses(const AlignRequest& request, Progress& progress) {
  request.check();
  inputs_of(request).refuse(request.output);
  const ReferencePicture picture = read_reference(request.reference, request.background);
  make_folder(fs::absolute(without_trailing_separator(request.output)).parent_path());
  // Both say now what would fail later.
  static_cast<void>(pose::PoseFolderWriter(request.output));
  std::unique_ptr<FrameSource> source = open_motion(request, false);
  pose::LazyDetector detector(request.detector, progress);

  pose::ReferencePose reference = find_reference(picture.image, request.reference, detector, progress);
  pose::AlignmentOptions alignment = request.alignment;
  if (request.frame && request.frame->fit != Fit::kStretch) {
    reference.shown = framing_of(*request.frame, reference);
    alignment.canvas = canvas_for(reference.shown, request.frame->size);
  }
  Motion motion = find_motion(request, std::move(source), detector, progress);
  pose::PoseSequence person = pose::choose_person(motion.everyone, request.person);
  const std::vector<std::string> import_notes = std::move(motion.everyone.notes);
  motion.everyone = {};

  AlignResult result;
  result.frames_looked_at = static_cast<std::int64_t>(person.frames.size());
  result.frames_found = frames_with_people(person);
  result.audio_start_seconds = person.frames.front().seconds;
  result.from_cache = motion.from_cache;
  result.detection_seconds = motion.detection_seconds;
  const Driver driver = put_in_time(std::move(person), request);
  result.framing = reference.shown;
  result.poses = pose::align_poses(driver.poses, reference, alignment);
  complete_report(driver, picture.notes, import_notes, result.poses.report);
  if (motion.source.has_audio) {
    const std::string silent = why_silent(request, driver.pauses);
    result.has_audio = silent.empty();
    if (!silent.empty()) result.poses.report.notes.push_back(silent);
  }
  for (const std::string& note : result.poses.report.notes) progress.note(note);
  result.report_folder = report_folder(request.output);
  write_files(request, driver, dimmed_outside(picture.image, result.framing), result, progress);
  return result;
}

Framing find_framing(const AlignRequest& request, Progress& progress) {
  if (!request.frame) return {};
  const Image picture = read_reference(request.reference, request.background).image;
  if (request.frame->fit != Fit::kCrop) return framing_of(*request.frame, {{}, picture.width, picture.height});
  pose::LazyDetector detector(request.detector, progress);
  return framing_of(*request.frame, find_reference(picture, request.reference, detector, progress));
}

}  // namespace unianimate::studio
