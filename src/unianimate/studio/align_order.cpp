#include "unianimate/studio/align_order.h"

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/pose/format/openpose_json.h"
#include "unianimate/studio/align_fields.h"
#include "unianimate/studio/motion_times.h"
#include "unianimate/studio/people_detection.h"

namespace unianimate::studio {

namespace {

void check_exports(const AlignOrder& order) {
  Inputs inputs;
  inputs.add(order.request.reference);
  inputs.add_folder(order.request.motion);
  inputs.refuse(order.openpose);
  inputs.refuse(order.comfyui);
  if (!order.openpose.empty()) pose::check_openpose_folder(order.openpose);
  if (!order.comfyui.empty()) const OutputPath trial(order.comfyui);
}

/// The request, once nothing that shows without long work speaks against it.
AlignRequest checked(const AlignOrder& order, JobObserver& observer) {
  check_exports(order);
  refuse_unused_options(order.request, order.refuse_given);
  if (order.detect_only) {
    constexpr std::string_view kWhen = "with --detect-only, which shows everyone as they were found";
    refuse(order.refuse_given, fields::only({"background", "frames_per_second", "size", "person", "speed"}), kWhen);
    refuse(order.refuse_given, fitting_fields(), kWhen);
    if (!order.request.reference.empty()) observer.note("--reference is not looked at with --detect-only");
  } else if (order.request.reference.empty()) {
    throw Error(ErrorKind::kUsage,
                "--reference is missing: give the picture of the person, or --detect-only to look for people alone");
  }
  AlignRequest request = order.request;
  request.detector.threads = request.threads;
  return request;
}

void export_poses(const AlignOrder& order, const pose::PoseSequence& poses) {
  if (!order.openpose.empty()) pose::write_openpose(order.openpose, poses);
  if (!order.comfyui.empty()) pose::write_comfyui(order.comfyui, poses);
}

}  // namespace

void visit(fields::Archive& archive, AlignOrder& order) {
  constexpr auto kFormats = fields::group("Other programs");
  visit(archive, order.request);
  archive("detect_only", order.detect_only,
          "Write everyone that is found to DIR/poses.json and DIR/preview.mp4; needs no reference");
  archive("openpose", order.openpose, fields::option("--export-openpose"), fields::type("DIR"), kFormats,
          "Write the poses as OpenPose's JSON files, too");
  archive("comfyui", order.comfyui, fields::option("--export-comfyui"), fields::type("FILE"), kFormats,
          "Write the poses as ComfyUI's POSE_KEYPOINT JSON, too");
}

PlannedMotion plan_poses(const AlignOrder& order, JobObserver& observer) {
  const AlignRequest request = checked(order, observer);
  if (!order.detect_only) read_image(request.reference);
  const MotionTimes times = read_motion_times(request);
  for (const std::string& note : times.notes) observer.note(note);
  return {request, times.poses, times.frames_per_second};
}

void make_poses(const AlignOrder& order, JobObserver& observer) {
  const AlignRequest request = checked(order, observer);
  if (order.detect_only) {
    const pose::PoseSequence everyone = detect_poses(request, observer);
    export_poses(order, everyone);
    observer.detected({request, everyone});
  } else {
    const AlignResult result = prepare_poses(request, observer);
    export_poses(order, result.poses.motion);
    observer.aligned({request, result});
  }
}

}  // namespace unianimate::studio
