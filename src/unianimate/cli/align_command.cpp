// unianimate align: a picture and a motion, a folder of pose pictures.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/fields/command_line.h"
#include "unianimate/studio/align_order.h"
#include "unianimate/studio/event_json.h"
#include "unianimate/studio/model_choice.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

/// Beside the order.
struct AlignArguments {
  fs::path models;
};

void visit(fields::Archive& archive, AlignArguments& arguments) {
  archive("models", arguments.models, fields::type("DIR"), fields::group("Machine and messages"),
          "Folder that may hold DWPose's two .onnx files (default: $UNIANIMATE_MODELS or ./checkpoints)");
}

constexpr const char* kAlignExamples = R"(Examples:
  unianimate align --reference person.jpg --motion dance.mp4 --output poses/dance
  unianimate align --reference person.jpg --motion dance.mp4 --output poses/dance --person left --fps 16 --smooth
  unianimate align --motion crowd.mp4 --output found --detect-only
  unianimate align --ref_name person.jpg --source_video_paths dance.mp4 --saved_pose_dir poses/dance --alignment published

The output folder gets ref_pose.jpg and 0000.jpg, 0001.jpg, … and nothing else, for 'unianimate animate --poses' and for
the published program. Beside it, in a folder of the same name with -report at its end, are poses.json (all points as
numbers), preview.mp4, contact_sheet.png and bones.png, and what was detected, so that another try is quick.
The motion may be a video, an animation, a folder of pictures, poses.json, or poses of OpenPose or ComfyUI.)";

studio::AlignOrder order_of(const fields::CommandLine& options, const RuntimeArguments& machine) {
  auto order = options.taken<studio::AlignOrder>();
  order.request.threads = machine.threads;
  order.request.detector.dwpose_folder = studio::models_folder(options.taken<AlignArguments>().models);
  order.refuse_given = [&options](const fields::Filter& filter, std::string_view when) {
    options.refuse(filter, when);
  };
  return order;
}

void tell_plan(const studio::AlignOrder& order, const studio::PlannedMotion& plan, bool json) {
  const studio::AlignRequest& request = plan.request;
  if (!json) {
    return print(stdout, "{}: {} poses, {:.4g} a second\n", printable(request.output.string(), kMessageBytes),
                 plan.poses, plan.frames_per_second);
  }
  const auto path_or_null = [](const fs::path& path) {
    return path.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(path.string());
  };
  print_json_line({{"event", "alignment_plan"},
                   {"output", request.output.string()},
                   {"reference", path_or_null(order.detect_only ? fs::path() : request.reference)},
                   {"width", request.alignment.canvas.width},
                   {"height", request.alignment.canvas.height},
                   {"frames_per_second", plan.frames_per_second},
                   {"detect_only", order.detect_only},
                   {"models", request.detector.dwpose_folder.string()},
                   {"background", request.background ? nlohmann::ordered_json(color_text(*request.background))
                                                     : nlohmann::ordered_json(nullptr)},
                   {"openpose", path_or_null(order.openpose)},
                   {"comfyui", path_or_null(order.comfyui)},
                   {"motion", studio::motion_json(plan)}});
}

void align(const fields::CommandLine& options, Session& session) {
  const auto machine = options.taken<RuntimeArguments>();
  const studio::AlignOrder order = order_of(options, machine);
  if (!machine.dry_run) return studio::make_poses(order, *session.reporter);
  tell_plan(order, studio::plan_poses(order, *session.reporter), machine.messages.json);
}

}  // namespace

CommandWork add_align_command(CLI::App& command, Session& session) {
  const auto options = std::make_shared<fields::CommandLine>();
  options->add(command, studio::AlignOrder());
  options->add(command, AlignArguments());
  options->add(command, RuntimeArguments(), fields::only({"threads", "dry_run", "json", "quiet", "profile"}));
  command.footer(kAlignExamples);
  return {[options, &session] { align(*options, session); }, options};
}

}  // namespace unianimate::cli
