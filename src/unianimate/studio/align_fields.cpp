#include "unianimate/studio/align_fields.h"

#include <fmt/format.h>

#include <string_view>

#include "unianimate/family/request_fields.h"
#include "unianimate/media/pictures/color_fields.h"
#include "unianimate/pose/align/alignment_fields.h"
#include "unianimate/pose/align/person_field.h"

namespace unianimate::studio {

namespace {

using fields::group;
using fields::range;
using fields::type;

constexpr const char* kMotion = "Motion";
constexpr const char* kRate = "frames a second such as 16 or 23.976";
constexpr fields::Range kRates = range(0.01, 1000);
constexpr double kLongestGap = 60;
constexpr double kFastest = 100;
constexpr double kLargestSide = 65'536;

}  // namespace

fields::Filter fitting_fields() {
  return [](const fields::Field& field) {
    return std::string_view(field.group) == pose::kAlignmentGroup && std::string_view(field.name) != "preview";
  };
}

fields::Filter motion_fields() {
  return [fitting = fitting_fields()](const fields::Field& field) {
    return std::string_view(field.group) == kMotion || fitting(field);
  };
}

void visit(fields::Archive& archive, MotionOptions& options) {
  archive("person", options.person, type("WHO"), group(kMotion),
          "Who of the motion: main, largest, center, left, right, a number, or x,y in pixels");
  archive("start", options.start_seconds, fields::at_least(0), type("S"), group(kMotion),
          fields::expects("seconds such as 4.5"), "Begin at this second of the motion");
  archive("end", options.end_seconds, fields::at_least(0), type("S"), group(kMotion),
          fields::expects("seconds such as 4.5"), "End at this second of the motion");
  archive("speed", options.speed, range(1 / kFastest, kFastest), group(kMotion),
          "Play the motion faster or slower: 0.5 is slow motion");
  archive("motion_fps", options.motion_frames_per_second, kRates, type("N"), group(kMotion), fields::expects(kRate),
          fields::shown_default(fmt::to_string(pose::kUntoldFramesPerSecond)),
          "Frames a second of a motion that does not say it: a folder of pictures, poses of other programs");
  archive.optional_size("motion_size", options.import_width, options.import_height, group(kMotion),
                        range(1, kLargestSide, "pixels"), "Picture size of imported poses that do not say it");
  archive("detector", options.detector.choice, group(kMotion),
          "auto, dwpose (where its files are) or blazepose (built in)");
  visit(archive, options.alignment);
  archive("smooth", options.smooth, group(pose::kAlignmentGroup), "Smooth trembling joints (One-Euro filter)");
  archive("max_gap", options.gap_seconds, range(0, kLongestGap), type("S"), group(pose::kAlignmentGroup),
          "Interpolate what is unseen for no longer than this");
  archive("preview", options.preview, fields::switched_off_by("--no-preview"), group(pose::kAlignmentGroup),
          "Make no preview video");
}

void visit(fields::Archive& archive, AlignRequest& request) {
  archive("reference", request.reference, fields::option("--reference,--ref_name"), type("FILE"),
          "Picture of the person (JPEG, PNG, WebP, HEIC, AVIF, …)");
  archive("background", request.background, type("COLOR"), family::kBackgroundHelp);
  archive("motion", request.motion, fields::option("--motion,--source_video_paths"), fields::kRequired,
          "Video, animation, folder of pictures, or poses (poses.json, OpenPose, ComfyUI)");
  archive("output", request.output, fields::option("--output,-o,--saved_pose_dir"), fields::kRequired, type("DIR"),
          "Folder for the pose pictures");
  archive("frames_per_second", request.frames_per_second, kRates, fields::option("--fps"), type("N"),
          fields::expects(kRate), "Poses a second (default: the motion's)");
  visit(archive, request.alignment.canvas);
  visit(archive, static_cast<MotionOptions&>(request));
}

}  // namespace unianimate::studio
