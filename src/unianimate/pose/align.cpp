#include "unianimate/pose/align.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <iterator>

#include "unianimate/core/bounded_queue.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/align/timing.h"
#include "unianimate/pose/detect/extraction.h"
#include "unianimate/pose/draw/pose_folder_writer.h"
#include "unianimate/pose/format/pose_json.h"
#include "unianimate/pose/motion.h"
#include "unianimate/pose/motion_pictures.h"
#include "unianimate/pose/report/alignment_plot.h"
#include "unianimate/pose/report/contact_sheet.h"
#include "unianimate/pose/report/preview.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

// ---- the reference

ReferencePose find_reference(const Image& picture, const fs::path& path, LazyDetector& detector, Progress& progress) {
  const PoseDetector& networks = detector.get();
  progress.begin_phase("find reference", 0);
  const std::vector<Person> people = extract_people(picture, networks);
  if (people.empty()) {
    throw Error(ErrorKind::kInput,
                "no person was found in the reference picture {}; give a picture in which one can be seen clearly",
                printable(path.string()));
  }
  if (people.size() > 1) {
    progress.note(fmt::format("{} people were found in the reference picture; the largest near the middle is taken",
                              people.size()));
  }
  return {people.front().keypoints, picture.width, picture.height};
}

// ---- pictures

const Keypoints* first_person(const PoseSequence& sequence, std::size_t frame) {
  if (frame >= sequence.frames.size() || sequence.frames[frame].people.empty()) return nullptr;
  return &sequence.frames[frame].people.front().keypoints;
}

/// Encodes in a thread of its own what another one paints.
class PreviewVideo {
 public:
  PreviewVideo(const fs::path& path, const VideoFormat& format) : sink_(open_video_writer(path, format)) {
    encoding_ = std::async(std::launch::async, [this] {
      const CloseAtEnd close(painted_);
      while (const std::optional<Image> frame = painted_.pop()) sink_->write(*frame);
    });
  }
  ~PreviewVideo() { painted_.close(); }
  PreviewVideo(const PreviewVideo&) = delete;
  PreviewVideo& operator=(const PreviewVideo&) = delete;

  void write(Image frame) {
    if (!painted_.push(std::move(frame))) encoding_.get();
  }
  void finish() {
    painted_.close();
    encoding_.get();
    sink_->finish();
  }

 private:
  static constexpr std::size_t kWaiting = 4;

  std::unique_ptr<FrameSink> sink_;
  BoundedQueue<Image> painted_{kWaiting};
  std::future<void> encoding_;
};

void write_preview(const AlignRequest& request, const fs::path& file, const PoseSequence& driver,
                   const HeldPauses& pauses, const AlignedPoses& poses, const Image& reference, Progress& progress) {
  const PreviewPainter painter(reference, {poses.motion.width, poses.motion.height}, {driver.width, driver.height});
  MotionPictures pictures(open_motion(request, true), driver.width, driver.height);
  const std::size_t count = poses.motion.frames.size();
  progress.begin_phase("preview", static_cast<std::int64_t>(count));
  std::optional<PreviewVideo> video;
  for (std::size_t i = 0; i < count; ++i) {
    progress.throw_if_cancelled();
    const double seconds = pauses.uncut(poses.motion.frames[i].seconds * request.speed);
    Image frame = painter.paint(pictures.at(seconds), first_person(driver, i), first_person(poses.motion, i));
    if (!video) {
      video.emplace(file, VideoFormat{frame.width, frame.height, poses.motion.frames_per_second, request.threads,
                                      VideoEffort::kPreview});
    }
    video->write(std::move(frame));
    progress.step(static_cast<std::int64_t>(i + 1));
  }
  if (video) video->finish();
}

/// Everyone with their number.
void write_preview_of_everyone(const AlignRequest& request, const fs::path& file, const PoseSequence& everyone,
                               Progress& progress) {
  const PixelSize source{everyone.width, everyone.height};
  MotionPictures pictures(open_motion(request, true), source.width, source.height);
  progress.begin_phase("preview", static_cast<std::int64_t>(everyone.frames.size()));
  const PixelSize size = preview_size(source);
  PreviewVideo video(file,
                     {size.width, size.height, everyone.frames_per_second, request.threads, VideoEffort::kPreview});
  const double start = everyone.frames.front().seconds;
  std::int64_t done = 0;
  for (const PoseFrame& frame : everyone.frames) {
    progress.throw_if_cancelled();
    video.write(paint_everyone(pictures.at(frame.seconds - start), source, frame.people));
    progress.step(++done);
  }
  video.finish();
}

std::int64_t frames_with_people(const PoseSequence& sequence) {
  return std::ranges::count_if(sequence.frames, [](const PoseFrame& frame) { return !frame.people.empty(); });
}

std::string count_of(std::size_t frames) {
  return frames == 1 ? "1 frame" : fmt::format("{} frames", frames);
}

/// What filling gaps did, for the report.
void tell_gaps(const FilledGaps& gaps, AlignmentReport& report) {
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

std::vector<std::int64_t> filled_frames(const PoseSequence& sequence) {
  std::vector<std::int64_t> frames;
  for (std::size_t i = 0; i < sequence.frames.size(); ++i) {
    const std::vector<Person>& people = sequence.frames[i].people;
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

void AlignRequest::check() const {
  constexpr double kFastest = 100;
  constexpr double kLongestGap = 60;
  if (!(start_seconds >= 0) || (end_seconds && !(*end_seconds > start_seconds))) {
    throw Error(ErrorKind::kUsage, "the part of the motion must begin at 0 seconds or later and end after that");
  }
  if (!(speed >= 1 / kFastest && speed <= kFastest)) {
    throw Error(ErrorKind::kUsage, "the speed must lie between {} and {}, but is {}", 1 / kFastest, kFastest, speed);
  }
  if (!(gap_seconds >= 0 && gap_seconds <= kLongestGap)) {
    throw Error(ErrorKind::kUsage, "the longest gap to interpolate must lie between 0 and {} seconds, but is {}",
                kLongestGap, gap_seconds);
  }
  constexpr double kSlowestRate = 0.1;
  constexpr double kFastestRate = 1000;
  for (const double rate : {frames_per_second.value_or(1), motion_frames_per_second.value_or(1)}) {
    if (rate >= kSlowestRate && rate <= kFastestRate) continue;
    throw Error(ErrorKind::kUsage, "frames a second must lie between {} and {}, but are {}", kSlowestRate, kFastestRate,
                rate);
  }
  if (threads < 0) throw Error(ErrorKind::kUsage, "the threads must be 0 (automatic) or more, but are {}", threads);
  alignment.check();
}

bool holds_pose_numbers(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path.extension() == ".json";
  bool numbers = false;
  bool pictures = false;
  fs::directory_iterator entry(path, ignored);
  for (; !ignored && entry != fs::directory_iterator(); entry.increment(ignored)) {
    if (entry->path().filename().string().ends_with("_keypoints.json")) return true;
    numbers = numbers || entry->path().extension() == ".json";
    pictures = pictures || is_picture(entry->path());
  }
  return numbers && !pictures;
}

fs::path report_folder(const fs::path& output) {
  return shared_folder(beside(output, "-report"));
}

std::optional<AlignedPoses> read_aligned_poses(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return std::nullopt;
  try {
    Poses poses = read_poses(path);
    if (auto* aligned = std::get_if<AlignedPoses>(&poses)) return std::move(*aligned);
  } catch (const Error&) {
    // Whoever reads it as other poses says what is wrong with it.
  }
  return std::nullopt;
}

AlignResult prepare_poses(const AlignRequest& request, Progress& progress) {
  request.check();
  const Inputs inputs = inputs_of(request);
  inputs.refuse(request.output);
  const ReferencePicture reference_file = read_reference(request.reference, request.background);
  const Image& reference_picture = reference_file.image;
  make_folder(fs::absolute(without_trailing_separator(request.output)).parent_path());
  // Both say now what would fail later.
  PoseFolderWriter(request.output);
  std::unique_ptr<FrameSource> source = open_motion(request, false);
  LazyDetector detector(request.detector, progress);

  // 1. who is where
  const ReferencePose reference = find_reference(reference_picture, request.reference, detector, progress);
  Motion motion = find_motion(request, std::move(source), detector, progress);
  PoseSequence driver = choose_person(motion.everyone, request.person);
  const std::vector<std::string> import_notes = std::move(motion.everyone.notes);
  motion.everyone = {};

  // 2. the driver without gaps, in time
  AlignResult result;
  result.frames_looked_at = static_cast<std::int64_t>(driver.frames.size());
  result.frames_found = frames_with_people(driver);
  result.audio_start_seconds = driver.frames.front().seconds;
  const HeldPauses pauses = hold_pauses(driver, request.gap_seconds);
  result.has_audio = motion.source.has_audio && request.speed == 1 && pauses.cuts.empty();
  result.from_cache = motion.from_cache;
  result.detection_seconds = motion.detection_seconds;
  const PoseSequence seen = retimed(driver, request);
  const bool published = request.alignment.method == AlignmentMethod::kPublished;
  const FilledGaps gaps =
      fill_gaps(driver, request.gap_seconds, published ? GapKind::kPeople : GapKind::kPeopleAndPoints);
  driver = retimed(std::move(driver), request);
  if (request.smooth) smooth(driver);

  // 3. the reference's bones
  result.poses = align_poses(driver, reference, request.alignment);
  AlignmentReport& report = result.poses.report;
  report.missing_frames = filled_frames(driver);
  tell_gaps(gaps, report);
  report.notes.insert(report.notes.begin(), import_notes.begin(), import_notes.end());
  std::ranges::move(describe(pauses), std::back_inserter(report.notes));
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
        write_poses(numbers, result.poses);
        write_png(sheet, contact_sheet(result.poses, reference_picture));
        write_png(bones, alignment_plot(result.poses, seen));
      });
  draw_pose_folder(result.poses, request.output, request.threads, progress);
  if (request.preview) {
    write_preview(request, place("preview.mp4", kPreviewMark), driver, pauses, result.poses, reference_picture,
                  progress);
  }
  report_files.get();
  return result;
}

PoseSequence detect_poses(const AlignRequest& request, Progress& progress) {
  request.check();
  const Inputs inputs = inputs_of(request);
  const fs::path numbers = request.output / "poses.json";
  const fs::path preview = request.output / "preview.mp4";
  inputs.refuse(numbers);
  inputs.refuse(preview);
  LazyDetector detector(request.detector, progress);
  Motion motion = find_motion(request, open_motion(request, false), detector, progress);
  const PoseSequence& everyone = motion.everyone;
  for (const std::string& note : everyone.notes) progress.note(note);
  if (frames_with_people(everyone) == 0) {
    throw Error(ErrorKind::kInput, "nobody was found in {} of {}; give a motion that shows a person",
                count_of(everyone.frames.size()), printable(request.motion.string()));
  }
  make_folder(request.output);
  write_poses(own_place(numbers, kMark, inputs, progress), everyone);
  if (request.preview) {
    write_preview_of_everyone(request, own_place(preview, kPreviewMark, inputs, progress), everyone, progress);
  }
  return std::move(motion.everyone);
}

}  // namespace unianimate::pose
