// unianimate align: a picture and a motion, a folder of pose pictures.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/fields/command_line.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/pose/format/openpose_json.h"
#include "unianimate/studio/align_fields.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/motion_times.h"
#include "unianimate/studio/people_detection.h"
#include "unianimate/studio/pose_preparation.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

/// Beside the request.
struct AlignArguments {
  fs::path models;
  fs::path openpose;
  fs::path comfyui;
  bool detect_only = false;
};

void visit(fields::Archive& archive, AlignArguments& arguments) {
  constexpr auto kFormats = fields::group("Other programs");
  archive("detect_only", arguments.detect_only,
          "Write everyone that is found to DIR/poses.json and DIR/preview.mp4; needs no reference");
  archive("openpose", arguments.openpose, fields::option("--export-openpose"), fields::type("DIR"), kFormats,
          "Write the poses as OpenPose's JSON files, too");
  archive("comfyui", arguments.comfyui, fields::option("--export-comfyui"), fields::type("FILE"), kFormats,
          "Write the poses as ComfyUI's POSE_KEYPOINT JSON, too");
  archive("models", arguments.models, fields::type("DIR"), fields::group("Machine and messages"),
          "Folder that may hold DWPose's two .onnx files (default: $UNIANIMATE_MODELS or ./checkpoints)");
}

constexpr const char* kExamples = R"(Examples:
  unianimate align --reference person.jpg --motion dance.mp4 --output poses/dance
  unianimate align --reference person.jpg --motion dance.mp4 --output poses/dance --person left --fps 16 --smooth
  unianimate align --motion crowd.mp4 --output found --detect-only
  unianimate align --ref_name person.jpg --source_video_paths dance.mp4 --saved_pose_dir poses/dance --alignment published

The output folder gets ref_pose.jpg and 0000.jpg, 0001.jpg, … and nothing else, for 'unianimate animate --poses' and for
the published program. Beside it, in a folder of the same name with -report at its end, are poses.json (all points as
numbers), preview.mp4, contact_sheet.png and bones.png, and what was detected, so that another try is quick.
The motion may be a video, an animation, a folder of pictures, poses.json, or poses of OpenPose or ComfyUI.)";

/// All that concerns the poses.
studio::AlignRequest request_of(const fields::CommandLine& options, const AlignArguments& arguments) {
  auto request = options.taken<studio::AlignRequest>();
  request.threads = request.detector.threads = options.taken<RuntimeArguments>().threads;
  request.detector.dwpose_folder = studio::models_folder(arguments.models);
  return request;
}

/// Says now what would fail after the work.
void check_exports(const AlignArguments& arguments, const studio::AlignRequest& request) {
  Inputs inputs;
  inputs.add(request.reference);
  inputs.add_folder(request.motion);
  inputs.refuse(arguments.openpose);
  inputs.refuse(arguments.comfyui);
  if (!arguments.openpose.empty()) pose::check_openpose_folder(arguments.openpose);
  if (!arguments.comfyui.empty()) const OutputPath trial(arguments.comfyui);
}

void export_poses(const AlignArguments& arguments, const pose::PoseSequence& poses) {
  if (!arguments.openpose.empty()) pose::write_openpose(arguments.openpose, poses);
  if (!arguments.comfyui.empty()) pose::write_comfyui(arguments.comfyui, poses);
}

/// What would be made.
void tell_plan(const AlignArguments& arguments, const studio::AlignRequest& request, bool json, Progress& progress) {
  if (!arguments.detect_only) read_image(request.reference);
  const studio::MotionTimes times = studio::read_motion_times(request);
  for (const std::string& note : times.notes) progress.note(note);
  if (!json) {
    return print(stdout, "{}: {} poses, {:.4g} a second\n", printable(request.output.string(), kMessageBytes),
                 times.poses, times.frames_per_second);
  }
  const auto path_or_null = [](const fs::path& path) {
    return path.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(path.string());
  };
  print_json_line({{"event", "alignment_plan"},
                   {"output", request.output.string()},
                   {"reference", path_or_null(arguments.detect_only ? fs::path() : request.reference)},
                   {"width", request.alignment.canvas.width},
                   {"height", request.alignment.canvas.height},
                   {"frames_per_second", times.frames_per_second},
                   {"detect_only", arguments.detect_only},
                   {"models", request.detector.dwpose_folder.string()},
                   {"background", request.background ? nlohmann::ordered_json(color_text(*request.background))
                                                     : nlohmann::ordered_json(nullptr)},
                   {"openpose", path_or_null(arguments.openpose)},
                   {"comfyui", path_or_null(arguments.comfyui)},
                   {"motion", motion_json({request, times.poses})}});
}

void align(const fields::CommandLine& options, Session& session) {
  const auto arguments = options.taken<AlignArguments>();
  const auto machine = options.taken<RuntimeArguments>();
  const studio::AlignRequest request = request_of(options, arguments);
  const studio::RefuseGiven refuse_given = [&](const fields::Filter& filter, std::string_view when) {
    options.refuse(filter, when);
  };
  check_exports(arguments, request);
  studio::refuse_unused_options(request, refuse_given);
  if (arguments.detect_only) {
    options.refuse(fields::only({"background", "frames_per_second", "size", "person", "speed", "alignment",
                                 "alignment_strength", "max_stretch", "keep_inside", "smooth", "max_gap"}),
                   "with --detect-only, which shows everyone as they were found");
    if (!request.reference.empty()) session.reporter->note("--reference is not looked at with --detect-only");
    if (machine.dry_run) return tell_plan(arguments, request, machine.messages.json, *session.reporter);
    const pose::PoseSequence everyone = studio::detect_poses(request, *session.reporter);
    export_poses(arguments, everyone);
    session.reporter->detected({request, everyone});
    return;
  }
  if (request.reference.empty()) {
    throw Error(ErrorKind::kUsage,
                "--reference is missing: give the picture of the person, or --detect-only to look for people alone");
  }
  if (machine.dry_run) return tell_plan(arguments, request, machine.messages.json, *session.reporter);
  const studio::AlignResult result = studio::prepare_poses(request, *session.reporter);
  export_poses(arguments, result.poses.motion);
  session.reporter->aligned({request, result});
}

}  // namespace

CommandWork add_align_command(CLI::App& command, Session& session) {
  const auto options = std::make_shared<fields::CommandLine>();
  options->add(command, studio::AlignRequest());
  options->add(command, AlignArguments());
  options->add(command, RuntimeArguments(), fields::only({"threads", "dry_run", "json", "quiet"}));
  command.footer(kExamples);
  return {[options, &session] { align(*options, session); }, options};
}

}  // namespace unianimate::cli
