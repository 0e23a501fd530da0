// unianimate animate: one picture, one motion, one video.
#include <CLI/CLI.hpp>
#include <filesystem>

#include "unianimate/cli/align_arguments.h"
#include "unianimate/cli/command_table.h"
#include "unianimate/cli/job_arguments.h"
#include "unianimate/cli/process_arguments.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/cli/unused_options.h"
#include "unianimate/core/error.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/studio.h"

namespace unianimate::cli {

namespace {

struct AnimateArguments {
  RequestArguments request;
  AlignArguments align;
  std::string motion;
  std::string saved_poses;
  std::string audio = "keep";
  std::string output;
  std::string frames_per_second;
  studio::JobKeeping keeping;
  int processes = 1;
  RuntimeArguments runtime;
};

constexpr const char* kExamples = R"(Examples:
  unianimate animate --reference person.jpg --motion dance.mp4 --output person_dances.mp4
  unianimate animate --reference person.jpg --motion dance.mp4 --output dance.mp4 --start 3 --end 8 --person left
  unianimate animate --reference person.jpg --poses poses/dance --output dance.mp4 --size 768x1216 --frames all
  unianimate animate --reference person.jpg --poses poses/dance --output frames/ --steps 20 --dry-run

A video that was stopped or killed is gone on with by the same command, or by 'unianimate resume'. With --motion the
poses are taken from a video and fitted to the person first, as 'unianimate align' does; they stay beside the output. A folder of --poses holds ref_pose.jpg, the pose of the person in the reference picture, and one
picture for each pose, taken in the order of their names. The output's name chooses the kind of file: .mp4, .webm, .gif,
.mkv (lossless) or a folder with a '/' at its end for PNG pictures.)";

/// What the arguments ask for.
studio::VideoOrder to_order(const AnimateArguments& arguments, const family::AnimateRequest& defaults) {
  if (arguments.audio != "keep" && arguments.audio != "none") {
    throw Error(ErrorKind::kUsage, "--audio is keep or none, found '{}'", printable(arguments.audio));
  }
  studio::VideoOrder order;
  order.job.request = to_request(arguments.request, defaults);
  order.job.output = arguments.output;
  order.job.threads = arguments.runtime.threads;
  order.motion = arguments.motion;
  if (!arguments.frames_per_second.empty()) {
    order.frames_per_second = parse_frames_per_second("--fps", arguments.frames_per_second);
  }
  order.align = to_request(arguments.align, studio::models_folder(arguments.runtime.models));
  order.person = arguments.align.person;
  order.detector = arguments.align.detector;
  order.saved_poses = arguments.saved_poses;
  order.keeps_sound = arguments.audio == "keep";
  order.keeping = arguments.keeping;
  order.refuse_given = refusal_of(*arguments.align.command);
  return order;
}

void animate(const AnimateArguments& arguments, Session& session) {
  family::RuntimeOptions runtime = prepare_runtime(arguments.runtime);
  const std::filesystem::path models = studio::models_to_animate_with(arguments.runtime.models);
  const studio::VideoOrder order = to_order(arguments, family::default_request(models));
  const auto group = join_processes(runtime);
  auto studio = studio::Studio::open(models, runtime, group.get());
  if (arguments.runtime.dry_run) {
    studio.plan(order, *session.reporter);
  } else {
    studio.make(order, *session.reporter);
  }
}

}  // namespace

CommandWork add_animate_command(CLI::App& command, Session& session) {
  const auto arguments = std::make_shared<AnimateArguments>();
  add_request_options(command, arguments->request);
  command.add_option("--motion", arguments->motion, "Video, animation or folder of pictures of somebody moving")
      ->type_name("PATH");
  command.add_option("--output,-o", arguments->output, "Video file, or folder for PNG pictures")
      ->type_name("FILE")
      ->required();
  command
      .add_option("--fps", arguments->frames_per_second,
                  "Frames a second of the video (default: as fast as the motion, 8 for pose pictures); with "
                  "--motion a pose is made for each, and --interval is not used")
      ->type_name("N");
  command.add_option("--audio", arguments->audio, "Sound of the motion in the result: keep or none")
      ->capture_default_str()
      ->type_name("NAME");
  command
      .add_option("--save-poses", arguments->saved_poses,
                  "Folder for the poses of --motion (default: beside the output)")
      ->type_name("DIR");
  add_align_options(command, arguments->align);
  add_job_folder_option(command, arguments->keeping);
  add_job_options(command, arguments->keeping);
  add_processes_option(command, arguments->processes);
  add_runtime_options(command, arguments->runtime);
  command.footer(kExamples);
  return {[arguments, &session] { animate(*arguments, session); }, &arguments->runtime.json, &arguments->runtime.quiet,
          &arguments->processes};
}

}  // namespace unianimate::cli
