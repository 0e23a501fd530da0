// unianimate animate: one picture, one motion, one video.
#include <CLI/CLI.hpp>
#include <filesystem>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/process_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/families/families.h"
#include "unianimate/family/presets.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/studio.h"
#include "unianimate/studio/video_order_fields.h"

namespace unianimate::cli {

namespace {

constexpr const char* kAnimateExamples = R"(Examples:
  unianimate animate --reference person.jpg --motion dance.mp4 --output person_dances.mp4
  unianimate animate --reference person.jpg --motion dance.mp4 --output dance.mp4 --start 3 --end 8 --person left
  unianimate animate --reference person.jpg --poses poses/dance --output dance.mp4 --size 768x1216 --frames all
  unianimate animate --reference person.jpg --poses poses/dance --output frames/ --steps 20 --dry-run

A video that was stopped or killed is gone on with by the same command, or by 'unianimate resume'. With --motion the
poses are taken from a video and fitted to the person first, as 'unianimate align' does; they stay beside the output. A folder of --poses holds ref_pose.jpg, the pose of the person in the reference picture, and one
picture for each pose, taken in the order of their names. The output's name chooses the kind of file: .mp4, .webm, .gif,
.mkv (lossless) or a folder with a '/' at its end for PNG pictures.)";

/// What the options ask for, of models with these defaults.
studio::VideoOrder order_of(const fields::CommandLine& options, const RuntimeArguments& machine,
                            const family::AnimateRequest& defaults) {
  studio::VideoOrder order;
  order.job.request = family::with_preset(defaults, [&](family::AnimateRequest& request) {
    order.job.request = request;
    options.take(order);
    request = order.job.request;
  });
  order.job.threads = machine.threads;
  order.motion_options.detector.dwpose_folder = studio::models_folder(machine.models);
  order.refuse_given = [&options](const fields::Filter& filter, std::string_view when) {
    options.refuse(filter, when);
  };
  return order;
}

void animate(const fields::CommandLine& options, Session& session) {
  const auto machine = options.taken<RuntimeArguments>();
  family::RuntimeOptions runtime = prepare_runtime(machine);
  const std::filesystem::path models = studio::models_to_animate_with(machine.models);
  const studio::VideoOrder order = order_of(options, machine, families::default_request(models, machine.loras));
  const auto group = join_processes(runtime);
  auto studio = studio::Studio::open(models, runtime, group.get());
  if (machine.dry_run) {
    studio.plan(order, *session.reporter);
  } else {
    studio.make(order, *session.reporter);
  }
}

}  // namespace

CommandWork add_animate_command(CLI::App& command, Session& session) {
  const auto options = std::make_shared<fields::CommandLine>();
  options->add(command, studio::VideoOrder());
  options->add(command, ProcessArguments());
  options->add(command, RuntimeArguments());
  command.footer(kAnimateExamples);
  return {[options, &session] { animate(*options, session); }, options};
}

}  // namespace unianimate::cli
