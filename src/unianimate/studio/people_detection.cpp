#include "unianimate/studio/people_detection.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/pose/format/pose_json.h"
#include "unianimate/studio/found_motion.h"
#include "unianimate/studio/motion_opening.h"
#include "unianimate/studio/preview_video.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

pose::PoseSequence detect_poses(const AlignRequest& request, Progress& progress) {
  request.check();
  Inputs inputs;
  inputs.add(request.reference);
  inputs.add_folder(request.motion);
  const fs::path numbers = request.output / "poses.json";
  const fs::path preview = request.output / "preview.mp4";
  inputs.refuse(numbers);
  inputs.refuse(preview);
  pose::LazyDetector detector(request.detector, progress);
  Motion motion = find_motion(request, open_motion(request, false), detector, progress);
  const pose::PoseSequence& everyone = motion.everyone;
  for (const std::string& note : everyone.notes) progress.note(note);
  if (std::ranges::all_of(everyone.frames, [](const pose::PoseFrame& frame) { return frame.people.empty(); })) {
    throw Error(ErrorKind::kInput, "nobody was found in {} of {}; give a motion that shows a person",
                everyone.frames.size() == 1 ? "1 frame" : fmt::format("{} frames", everyone.frames.size()),
                printable(request.motion.string()));
  }
  make_folder(request.output);
  pose::write_poses(own_place(numbers, kMark, inputs, progress), everyone);
  if (request.preview) {
    write_preview_of_everyone(request, own_place(preview, kPreviewMark, inputs, progress), everyone, progress);
  }
  return std::move(motion.everyone);
}

}  // namespace unianimate::studio
