#include "unianimate/evaluation/person_inputs.h"

#include "unianimate/core/output_file.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/draw/pose_folder_writer.h"
#include "unianimate/puppet/clip_poses.h"

namespace unianimate::evaluation {

namespace fs = std::filesystem;

void write_person_inputs(const puppet::Clip& clip, bool from_first_frame, const fs::path& folder,
                         family::AnimateRequest& request, Progress& progress) {
  request.reference = folder / "reference.png";
  request.poses = folder / "poses";
  std::error_code ignored;
  if (fs::exists(folder, ignored)) return;
  make_folder(folder);
  write_png(request.reference, from_first_frame ? clip.frame(0) : clip.reference());
  pose::AlignedPoses poses = puppet::poses_of(clip);
  if (from_first_frame) poses.reference = poses.motion.frames.front().people.front().keypoints;
  pose::draw_pose_folder(poses, request.poses, 0, progress);
}

}  // namespace unianimate::evaluation
