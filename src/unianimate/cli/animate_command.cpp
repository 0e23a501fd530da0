// unianimate animate: one picture, one folder of poses, one video.
#include <CLI/CLI.hpp>

#include "unianimate/cli/interruption.h"
#include "unianimate/cli/process_environment.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/cli/session.h"
#include "unianimate/cli/video_jobs.h"

namespace unianimate::cli {

namespace {

struct AnimateArguments {
  RequestArguments request;
  std::string output;
  double frames_per_second = 8;
  RuntimeArguments runtime;
};

constexpr const char* kExamples = R"(Examples:
  unianimate animate --reference person.jpg --poses poses/dance --output dance.mp4
  unianimate animate --reference person.jpg --poses poses/dance --output dance.mp4 --size 768x1216 --frames all
  unianimate animate --reference person.jpg --poses poses/dance --output frames/ --steps 20 --dry-run

The folder of poses holds ref_pose.jpg, the pose of the person in the reference picture, and one picture for each
pose, taken in the order of their names. The output's name chooses the kind of file: .mp4, .webm, .gif, .mkv
(lossless) or a folder with a '/' at its end for PNG pictures.)";

void animate(const AnimateArguments& arguments, Session& session) {
  restart_with_tuned_environment(session.arguments);
  session.reporter = make_reporter(arguments.runtime.json, arguments.runtime.quiet);
  catch_interruptions();

  JobOptions options;
  options.runtime = prepare_runtime(arguments.runtime);
  options.dry_run = arguments.runtime.dry_run;
  const VideoJob job{to_request(arguments.request), arguments.output, arguments.frames_per_second,
                     arguments.runtime.threads};
  check_jobs({job});
  check_job_output(job);
  options.files = pipeline::find_model_files(models_folder(arguments.runtime.models));
  run_jobs(
      {job}, options, [](const pipeline::ModelConfigs&) {}, *session.reporter);
}

}  // namespace

void add_animate_command(CLI::App& app, Session& session) {
  const auto arguments = std::make_shared<AnimateArguments>();
  CLI::App* command = app.add_subcommand("animate", "Animate a picture with a folder of poses");
  add_request_options(*command, arguments->request);
  command->add_option("--output,-o", arguments->output, "Video file, or folder for PNG pictures")
      ->type_name("FILE")
      ->required();
  command->add_option("--fps", arguments->frames_per_second, "Frames a second of the video")
      ->capture_default_str()
      ->type_name("N");
  add_runtime_options(*command, arguments->runtime);
  command->footer(kExamples);
  command->callback(
      [arguments, &session] { session.command = [arguments, &session] { animate(*arguments, session); }; });
}

}  // namespace unianimate::cli
