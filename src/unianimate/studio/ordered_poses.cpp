#include "unianimate/studio/ordered_poses.h"

#include <cstdint>

#include "unianimate/core/output_file.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/pose/draw/pose_folder_writer.h"
#include "unianimate/pose/format/pose_json.h"
#include "unianimate/studio/motion_opening.h"
#include "unianimate/studio/motion_times.h"
#include "unianimate/studio/video_production.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

/// Fields that say how a motion is taken and fitted. Without a motion there is no preview either way.
fields::Filter motion_fields() {
  return fields::only({"person", "start", "end", "speed", "motion_fps", "motion_size", "detector", "alignment",
                       "alignment_strength", "max_stretch", "keep_inside", "smooth", "max_gap"});
}

/// Where the poses are drawn: the folder that was given, or "videos/dance-poses" beside "videos/dance.mp4".
fs::path pose_folder(const VideoOrder& order, const VideoJob& job, const Inputs& inputs, JobObserver& observer) {
  if (!order.saved_poses.empty()) {
    pose::PoseFolderWriter(order.saved_poses);  // says now what would fail later
    return order.saved_poses;
  }
  const fs::path wanted = beside_output(job.output, "-poses");
  fs::path folder = own_folder(wanted, [&](const fs::path& place) {
    return pose::PoseFolderWriter::may_replace(place) && !inputs.contain(place) && !inputs.lie_in(place);
  });
  tell_place(wanted, folder, observer);
  return folder;
}

/// Of a motion, or of poses that are to be fitted like one.
AlignRequest align_request(const VideoOrder& order, const VideoFrame& frame, const fs::path& motion,
                           const fs::path& folder, const VideoJob& job) {
  AlignRequest request;
  static_cast<MotionOptions&>(request) = order.motion_options;
  request.reference = job.request.reference;
  request.background = job.request.background;
  request.motion = motion;
  request.output = folder;
  request.threads = request.detector.threads = job.threads;
  request.frames_per_second = order.frames_per_second;
  request.frame = frame;
  return request;
}

/// What the poses of a motion say about the video.
struct MotionFacts {
  double frames_per_second = 0;  ///< of the poses
  bool has_audio = false;
  double audio_start_seconds = 0;
};

void take_motion(const VideoOrder& order, const AlignRequest& request, const MotionFacts& facts, VideoJob& job,
                 JobObserver& observer) {
  // Where frames a second are asked for, poses are made for just these frames.
  if (request.frames_per_second) job.request.frame_interval = 1;
  job.request.poses = request.output;
  job.poses_per_second = facts.frames_per_second;
  if (order.sound == Sound::kNone || !facts.has_audio) return;
  if (const std::string why = why_no_audio(job.output); !why.empty()) return observer.note(why);
  job.audio = AudioSource{request.motion, facts.audio_start_seconds};
}

/// `person` as a share of the whole picture.
void frame_person(const VideoFrame& frame, const Framing& person, family::AnimateRequest& request) {
  const Image picture = read_reference(request.reference, request.background).image;
  request.framing = frame_for(frame.fit, {picture.width, picture.height}, frame.size, person);
}

/// Counted, not made.
PlannedMotion count_from_motion(const VideoOrder& order, const VideoFrame& frame, const fs::path& motion,
                                const fs::path& folder, VideoJob& job, JobObserver& observer) {
  const AlignRequest request = align_request(order, frame, motion, folder, job);
  const MotionTimes times = read_motion_times(request);
  for (const std::string& note : times.notes) observer.note(note);
  take_motion(order, request, {times.frames_per_second, times.has_audio, request.start_seconds}, job, observer);
  return {request, times.poses};
}

std::optional<PlannedMotion> take_from_motion(const VideoOrder& order, const VideoFrame& frame, const fs::path& motion,
                                              const fs::path& folder, bool planned, VideoJob& job,
                                              JobObserver& observer) {
  if (order.frames_per_second && job.request.frame_interval != 1) {
    refuse(order.refuse_given, fields::only({"frame_interval"}),
           "with --fps, for which a pose is made for each frame of the video");
  }
  if (planned) {
    PlannedMotion counted = count_from_motion(order, frame, motion, folder, job, observer);
    job.request.framing = find_framing(counted.request, observer);
    return counted;
  }
  const AlignRequest request = align_request(order, frame, motion, folder, job);
  const AlignResult result = prepare_poses(request, observer);
  observer.aligned({request, result});
  job.request.framing = result.framing;
  take_motion(order, request, {result.poses.motion.frames_per_second, result.has_audio, result.audio_start_seconds},
              job, observer);
  return std::nullopt;
}

/// Poses that `align` made as numbers need only be drawn.
std::optional<PlannedMotion> take_aligned(const VideoOrder& order, const VideoFrame& frame,
                                          const pose::AlignedPoses& poses, const fs::path& folder, bool planned,
                                          VideoJob& job, JobObserver& observer) {
  refuse(order.refuse_given, motion_fields(), "with poses that are fitted to the reference already");
  const PictureSize canvas{poses.motion.width, poses.motion.height};
  frame_person(frame, person_in(poses.reference, canvas), job.request);
  if (!order.frames_per_second) job.poses_per_second = poses.motion.frames_per_second;
  PlannedMotion motion;
  motion.request.motion = job.request.poses;
  motion.poses = static_cast<std::int64_t>(poses.motion.frames.size());
  job.request.poses = folder;
  if (planned) return motion;
  pose::draw_pose_folder(poses, job.request.poses, job.threads, observer);
  return std::nullopt;
}

}  // namespace

bool needs_drawing(const VideoOrder& order) {
  return !order.motion.empty() || holds_pose_numbers(order.job.request.poses);
}

void refuse_unused_fields(const VideoOrder& order) {
  if (!needs_drawing(order)) {
    constexpr std::string_view kWhen = "with a folder of pose pictures, which are taken as they are";
    refuse(order.refuse_given, motion_fields(), kWhen);
    refuse(order.refuse_given, fields::only({"saved_poses"}), kWhen);
    if (order.sound == Sound::kKeep) refuse(order.refuse_given, fields::only({"audio"}), kWhen);
  }
  if (order.job.request.sampling.timesteps.rule == diffusion::TimestepRule::kOwn) {
    refuse(order.refuse_given, fields::only({"steps"}), "with a list of --timesteps, which says how many there are");
  }
  refuse_unused_options(order.motion_options, order.refuse_given);
  refuse_unused_options(order.keeping, order.refuse_given);
}

void frame_pose_pictures(const VideoFrame& frame, family::AnimateRequest& request) {
  if (frame.fit == Fit::kStretch) return;
  const family::PoseFolder folder = family::open_pose_folder(request.poses, request.pose_order);
  frame_person(frame, person_in(read_image(folder.reference_pose)), request);
}

std::int64_t count_poses(const VideoOrder& order, const VideoFrame& frame, const Inputs& inputs, VideoJob& job,
                         JobObserver& observer) {
  const fs::path folder = pose_folder(order, job, inputs, observer);
  if (order.motion.empty()) {
    if (const auto aligned = pose::read_aligned_poses(job.request.poses)) {
      return take_aligned(order, frame, *aligned, folder, true, job, observer)->poses;
    }
  }
  const fs::path motion = order.motion.empty() ? job.request.poses : order.motion;
  return count_from_motion(order, frame, motion, folder, job, observer).poses;
}

std::optional<PlannedMotion> take_poses(const VideoOrder& order, const VideoFrame& frame, bool planned,
                                        const Inputs& inputs, VideoJob& job, JobObserver& observer) {
  const fs::path folder = pose_folder(order, job, inputs, observer);
  if (!order.motion.empty()) return take_from_motion(order, frame, order.motion, folder, planned, job, observer);
  if (const auto aligned = pose::read_aligned_poses(job.request.poses)) {
    return take_aligned(order, frame, *aligned, folder, planned, job, observer);
  }
  return take_from_motion(order, frame, job.request.poses, folder, planned, job, observer);
}

}  // namespace unianimate::studio
