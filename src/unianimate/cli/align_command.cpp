// unianimate align: a picture and a motion, a folder of pose pictures.
#include <CLI/CLI.hpp>
#include <array>
#include <nlohmann/json.hpp>

#include "unianimate/cli/align_arguments.h"
#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/integer_option.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/cli/unused_options.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/pose/format/openpose_json.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/motion_times.h"
#include "unianimate/studio/people_detection.h"
#include "unianimate/studio/pose_preparation.h"

namespace unianimate::cli {

namespace {

struct Arguments {
  std::string reference;
  std::string background;
  std::string motion;
  std::string output;
  std::string size;
  std::string frames_per_second;
  std::string models;
  std::string openpose;
  std::string comfyui;
  bool detect_only = false;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
  AlignArguments align;
};

constexpr const char* kExamples = R"(Examples:
  unianimate align --reference person.jpg --motion dance.mp4 --output poses/dance
  unianimate align --reference person.jpg --motion dance.mp4 --output poses/dance --person left --fps 16 --smooth
  unianimate align --motion crowd.mp4 --output found --detect-only
  unianimate align --ref_name person.jpg --source_video_paths dance.mp4 --saved_pose_dir poses/dance --alignment published

The output folder gets ref_pose.jpg and 0000.jpg, 0001.jpg, … and nothing else, for 'unianimate animate --poses' and for
the published program. Beside it, in a folder of the same name with -report at its end, are poses.json (all points as
numbers), preview.mp4, contact_sheet.png and bones.png, and what was detected, so that another try is quick.
The motion may be a video, an animation, a folder of pictures, poses.json, or poses of OpenPose or ComfyUI.)";

studio::AlignRequest request_of(const Arguments& arguments) {
  studio::AlignRequest request = to_request(arguments.align, studio::models_folder(arguments.models));
  request.reference = arguments.reference;
  request.background = parse_background(arguments.background);
  request.motion = arguments.motion;
  request.output = arguments.output;
  if (!arguments.frames_per_second.empty()) {
    request.frames_per_second = parse_frames_per_second("--fps", arguments.frames_per_second);
  }
  if (!arguments.size.empty()) {
    const PictureSize size = parse_size("--size", arguments.size);
    request.alignment.canvas_width = size.width;
    request.alignment.canvas_height = size.height;
  }
  return request;
}

/// Says now what would fail after the work.
void check_exports(const Arguments& arguments) {
  Inputs inputs;
  inputs.add(arguments.reference);
  inputs.add_folder(arguments.motion);
  inputs.refuse(arguments.openpose);
  inputs.refuse(arguments.comfyui);
  if (!arguments.openpose.empty()) pose::check_openpose_folder(arguments.openpose);
  if (!arguments.comfyui.empty()) const OutputPath trial(arguments.comfyui);
}

void export_poses(const Arguments& arguments, const pose::PoseSequence& poses) {
  if (!arguments.openpose.empty()) pose::write_openpose(arguments.openpose, poses);
  if (!arguments.comfyui.empty()) pose::write_comfyui(arguments.comfyui, poses);
}

/// What would be made.
void tell_plan(const Arguments& arguments, const studio::AlignRequest& request, Progress& progress) {
  if (!arguments.detect_only) read_image(request.reference);
  const studio::MotionTimes times = studio::read_motion_times(request);
  for (const std::string& note : times.notes) progress.note(note);
  if (!arguments.json) {
    return print(stdout, "{}: {} poses, {:.4g} a second\n", printable(arguments.output, kMessageBytes), times.poses,
                 times.frames_per_second);
  }
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
  };
  print_json_line({{"event", "alignment_plan"},
                   {"output", arguments.output},
                   {"reference", text_or_null(arguments.detect_only ? "" : arguments.reference)},
                   {"width", request.alignment.canvas_width},
                   {"height", request.alignment.canvas_height},
                   {"frames_per_second", times.frames_per_second},
                   {"detect_only", arguments.detect_only},
                   {"models", request.detector.dwpose_folder.string()},
                   {"background", text_or_null(arguments.background)},
                   {"openpose", text_or_null(arguments.openpose)},
                   {"comfyui", text_or_null(arguments.comfyui)},
                   {"motion", motion_json({request, arguments.align.person, arguments.align.detector, times.poses})}});
}

void align(const Arguments& arguments, Session& session) {
  const studio::AlignRequest request = request_of(arguments);
  check_exports(arguments);
  if (arguments.detect_only) {
    static constexpr std::array<std::string_view, 11> kOfOnePerson{
        "--background",         "--fps",         "--size",          "--person", "--speed",  "--alignment",
        "--alignment-strength", "--max-stretch", "--leave-picture", "--smooth", "--max-gap"};
    refuse_given(*arguments.align.command, kOfOnePerson, "with --detect-only, which shows everyone as they were found");
    if (!arguments.reference.empty()) session.reporter->note("--reference is not looked at with --detect-only");
    if (arguments.dry_run) return tell_plan(arguments, request, *session.reporter);
    const pose::PoseSequence everyone = studio::detect_poses(request, *session.reporter);
    export_poses(arguments, everyone);
    session.reporter->detected({request, everyone});
    return;
  }
  if (arguments.reference.empty()) {
    throw Error(ErrorKind::kUsage,
                "--reference is missing: give the picture of the person, or --detect-only to look for people alone");
  }
  if (arguments.dry_run) return tell_plan(arguments, request, *session.reporter);
  const studio::AlignResult result = studio::prepare_poses(request, *session.reporter);
  export_poses(arguments, result.poses.motion);
  session.reporter->aligned({request, result});
}

}  // namespace

CommandWork add_align_command(CLI::App& command, Session& session) {
  const auto arguments = std::make_shared<Arguments>();
  command
      .add_option("--reference,--ref_name", arguments->reference,
                  "Picture of the person (JPEG, PNG, WebP, HEIC, AVIF, …)")
      ->type_name("FILE");
  add_background_option(command, arguments->background);
  command
      .add_option("--motion,--source_video_paths", arguments->motion,
                  "Video, animation, folder of pictures, or poses (poses.json, OpenPose, ComfyUI)")
      ->type_name("PATH")
      ->required();
  command.add_option("--output,-o,--saved_pose_dir", arguments->output, "Folder for the pose pictures")
      ->type_name("DIR")
      ->required();
  command.add_option("--fps", arguments->frames_per_second, "Poses a second (default: the motion's)")->type_name("N");
  command.add_option("--size", arguments->size, "Width x height of the pose pictures (default: 512x768, as published)")
      ->type_name("WxH");
  command.add_flag("--detect-only", arguments->detect_only,
                   "Write everyone that is found to DIR/poses.json and DIR/preview.mp4; needs no reference");
  add_align_options(command, arguments->align);
  const std::string formats = "Other programs";
  command.add_option("--export-openpose", arguments->openpose, "Write the poses as OpenPose's JSON files, too")
      ->type_name("DIR")
      ->group(formats);
  command.add_option("--export-comfyui", arguments->comfyui, "Write the poses as ComfyUI's POSE_KEYPOINT JSON, too")
      ->type_name("FILE")
      ->group(formats);
  const std::string machine = "Machine and messages";
  command
      .add_option("--models", arguments->models,
                  "Folder that may hold DWPose's two .onnx files (default: $UNIANIMATE_MODELS or ./checkpoints)")
      ->type_name("DIR")
      ->group(machine);
  add_threads_option(command, arguments->align.rest.threads)->group(machine);
  command.add_flag("--dry-run", arguments->dry_run, "Check everything, say how many poses there would be, and stop")
      ->group(machine);
  command.add_flag("--json", arguments->json, "One JSON object a line on stdout: progress, result, error")
      ->group(machine);
  command.add_flag("--quiet", arguments->quiet, "No progress and no notes")->group(machine);
  command.footer(kExamples);
  return {[arguments, &session] { align(*arguments, session); }, &arguments->json, &arguments->quiet};
}

}  // namespace unianimate::cli
