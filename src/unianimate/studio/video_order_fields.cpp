#include "unianimate/studio/video_order_fields.h"

#include "unianimate/family/request_fields.h"
#include "unianimate/studio/align_fields.h"
#include "unianimate/studio/job_keeping_fields.h"

namespace unianimate::studio {

void visit(fields::Archive& archive, VideoOrder& order) {
  archive("size", order.size, fields::type("auto|WxH"), fields::shown_default("what the model was trained for"),
          "Width x height of the video, or auto: what suits the picture; the published models make multiples of 64");
  archive("fit", order.fit,
          "How a picture of another shape fills the video: stretch, crop (around the person) or pad "
          "(with a border); default: crop, but stretch where --size is given in pixels");
  visit_but_size(archive, order.job.request);
  archive("motion", order.motion, "Video, animation or folder of pictures of somebody moving");
  archive("output", order.job.output, fields::option("--output,-o"), fields::type("FILE"), fields::kRequired,
          "Video file, or folder for PNG pictures");
  archive("frames_per_second", order.frames_per_second, fields::range(0.01, 1000), fields::option("--fps"),
          fields::type("N"), fields::expects("frames a second such as 16 or 23.976"),
          "Frames a second of the video (default: as fast as the motion, 8 for pose pictures); with --motion a pose is "
          "made for each, and --frame-interval is not used");
  archive("interpolate", order.job.interpolate, fields::range(1, kMostInterpolated), fields::type("N"),
          kInterpolateHelp);
  archive("audio", order.sound, "Sound of the motion in the result: keep or none");
  archive("saved_poses", order.saved_poses, fields::option("--save-poses"), fields::type("DIR"),
          "Folder for the poses of --motion (default: beside the output)");
  visit(archive, order.motion_options);
  visit(archive, order.keeping);
}

}  // namespace unianimate::studio
