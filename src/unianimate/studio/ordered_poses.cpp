#include "unianimate/studio/ordered_poses.h"

#include "unianimate/core/output_file.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/pose/draw/pose_folder_writer.h"
#include "unianimate/pose/format/pose_json.h"
#include "unianimate/studio/align_fields.h"
#include "unianimate/studio/motion_opening.h"
#include "unianimate/studio/motion_times.h"
#include "unianimate/studio/video_production.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

/// Where the poses are drawn: the folder that was given, or "videos/dance-poses" beside "videos/dance.mp4".
fs::path pose_folder(const VideoOrder& order, const VideoJob& job, const Inputs& inputs, JobObserver& observer) {
  if (!order.saved_poses.empty()) {
    const pose::PoseFolderWriter trial(order.saved_poses);  // says now what would fail later
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

/// `person` as a share of the whole picture.
Framing frame_person(const VideoFrame& frame, PictureSize reference, const Framing& person) {
  return frame_for(frame.fit, reference, frame.size, person);
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

Framing frame_pose_pictures(const VideoFrame& frame, PictureSize reference, const family::AnimateRequest& request) {
  if (frame.fit == Fit::kStretch) return {};
  const family::PoseFolder folder = family::open_pose_folder(request.poses, request.pose_order);
  return frame_person(frame, reference, person_in(read_image(folder.reference_pose)));
}

OrderedPoses::OrderedPoses(const VideoOrder& order, const VideoFrame& frame, const Inputs& inputs, const VideoJob& job,
                           JobObserver& observer)
    : order_(order), frame_(frame), observer_(observer) {
  const fs::path motion = order.motion.empty() ? job.request.poses : order.motion;
  request_ = align_request(order, frame, motion, pose_folder(order, job, inputs, observer), job);
  if (order.motion.empty()) aligned_ = pose::read_aligned_poses(motion);
  if (aligned_) {
    refuse(order.refuse_given, motion_fields(), "with poses that are fitted to the reference already");
  } else if (order.frames_per_second && job.request.frame_interval != 1) {
    refuse(order.refuse_given, fields::only({"frame_interval"}),
           "with --fps, for which a pose is made for each frame of the video");
  }
}

void OrderedPoses::put(double frames_per_second, bool has_audio, double audio_start_seconds, VideoJob& job) const {
  // Where frames a second are asked for, poses are made for just these frames.
  if (request_.frames_per_second) job.request.frame_interval = 1;
  job.request.poses = request_.output;
  job.poses_per_second = frames_per_second;
  job.audio.reset();
  if (order_.sound == Sound::kNone || !has_audio) return;
  if (const std::string why = why_no_audio(job.output); !why.empty()) return observer_.note(why);
  job.audio = AudioSource{request_.motion, audio_start_seconds};
}

PlannedMotion OrderedPoses::count(VideoJob& job) const {
  if (aligned_) {
    job.request.poses = request_.output;
    if (!order_.frames_per_second) job.poses_per_second = aligned_->motion.frames_per_second;
    AlignRequest only_drawn;
    only_drawn.motion = request_.motion;
    const pose::PoseSequence& motion = aligned_->motion;
    return {only_drawn, static_cast<std::int64_t>(motion.frames.size()), motion.frames_per_second};
  }
  const MotionTimes times = read_motion_times(request_);
  for (const std::string& note : times.notes) observer_.note(note);
  put(times.frames_per_second, times.has_audio, request_.start_seconds, job);
  return {request_, times.poses, times.frames_per_second};
}

Framing OrderedPoses::framing(PictureSize reference) const {
  if (!aligned_) return find_framing(request_, observer_);
  return frame_person(frame_, reference,
                      person_in(aligned_->reference, {aligned_->motion.width, aligned_->motion.height}));
}

void OrderedPoses::make(PictureSize reference, VideoJob& job) const {
  if (aligned_) {
    job.request.framing = framing(reference);
    return pose::draw_pose_folder(*aligned_, request_.output, job.threads, observer_);
  }
  const AlignResult result = prepare_poses(request_, observer_);
  observer_.aligned({request_, result});
  job.request.framing = result.framing;
  put(result.poses.motion.frames_per_second, result.has_audio, result.audio_start_seconds, job);
}

}  // namespace unianimate::studio
