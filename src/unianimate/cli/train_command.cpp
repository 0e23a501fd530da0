// unianimate train: models from nothing, or further.
#include <CLI/CLI.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/process_arguments.h"
#include "unianimate/cli/process_environment.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/core/error.h"
#include "unianimate/distributed/group_environment.h"
#include "unianimate/pose/detect/detected_poses.h"
#include "unianimate/studio/machine.h"
#include "unianimate/training/trainer.h"

namespace unianimate::cli {

namespace {

struct TrainArguments {
  std::string config;
  training::TrainConfig settings;  ///< what is read from it
};

constexpr const char* kTrainExamples = R"(Examples:
  unianimate train training/autoencoder.yaml --processes 2
  unianimate train training/unet.yaml --processes 2
  torchrun-style: RANK=0 WORLD_SIZE=2 MASTER_ADDR=node0 MASTER_PORT=29500 unianimate train unet.yaml

The configuration names an output folder; a training that it already holds is gone on with. Ctrl-C saves first and
stops; the same command goes on. docs/training.md lists all settings.)";

void train_model(training::TrainConfig config, const RuntimeArguments& machine, Session& session) {
  const distributed::GroupEnvironment environment = distributed::read_group_environment();
  config.allow_nonfinite = machine.allow_nonfinite;
  session.left_when_stopped = "what was saved stays, and the same command goes on";
  keep_freed_memory();
  Compute compute = studio::prepare_machine({machine.device, DTypeChoice::kFloat32, machine.threads});
  if (compute.device.is_cuda()) compute.device = cuda_device_of(environment.local_rank);
  const auto group = distributed::ProcessGroup::from_environment(compute.device);
  const training::TrainingReport report =
      training::train(config, compute, *group, *session.reporter,
                      [](Progress& progress) { return pose::detected_poses({}, progress); });
  if (environment.rank > 0) return;
  if (!report.finished) {
    session.left_when_stopped = fmt::format("step {} is saved, and the same command goes on", report.steps);
    throw Error(ErrorKind::kCancelled, "stopped on request");
  }
  print(stdout, "{}\n", printable(report.model.string(), kMessageBytes));
}

}  // namespace

CommandWork add_train_command(CLI::App& command, Session& session) {
  const auto arguments = std::make_shared<TrainArguments>();
  const auto options = std::make_shared<fields::CommandLine>();
  command.add_option("config", arguments->config, "What to train, and how")->type_name("FILE.yaml")->required();
  options->add(command, ProcessArguments());
  options->add(command, RuntimeArguments(), fields::only({"device", "threads", "allow_nonfinite", "quiet", "profile"}));
  command.footer(kTrainExamples);
  return {
      [arguments, options, &session] { train_model(arguments->settings, options->taken<RuntimeArguments>(), session); },
      options, [arguments] { arguments->settings = training::read_train_config(arguments->config); }};
}

}  // namespace unianimate::cli
