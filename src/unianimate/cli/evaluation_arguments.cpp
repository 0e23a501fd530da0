#include "unianimate/cli/evaluation_arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "unianimate/cli/console.h"
#include "unianimate/cli/integer_option.h"
#include "unianimate/cli/number_list.h"
#include "unianimate/cli/progress_meter.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/core/memory.h"
#include "unianimate/core/output_file.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

evaluation::PeopleRange parse_people(std::string_view text) {
  const std::vector<std::string_view> ends = split(text, '-');
  const auto first = parse_integer<std::uint64_t>(ends.front());
  const auto last = parse_integer<std::uint64_t>(ends.back());
  if (ends.size() <= 2 && first && last) return {*first, *last};
  throw Error(ErrorKind::kUsage, "--people expects one seed or two, such as 900000-900031, found '{}'",
              printable(text));
}

}  // namespace

void add_people_options(CLI::App& command, PeopleArguments& arguments) {
  command.add_option("--people", arguments.people, "Seeds of the people")->capture_default_str()->type_name("N-N");
  add_integer_option(command, "--frames", arguments.clip.frames, "Frames of each video");
  command.add_option("--size", arguments.size, "Width x height of the videos (default: what suits the model)")
      ->type_name("WxH");
  command.add_option("--motion", arguments.motion, "dance, walk or wave")->capture_default_str()->type_name("NAME");
  command.add_option("--fps", arguments.clip.frames_per_second, "Frames a second of the motion")
      ->capture_default_str()
      ->type_name("N");
}

void take_people(const PeopleArguments& arguments, const pipeline::AnimateRequest& defaults,
                 evaluation::ModelEvaluationRequest& request) {
  request.people = parse_people(arguments.people);
  request.clip = arguments.clip;
  request.clip.width = defaults.width;
  request.clip.height = defaults.height;
  if (!arguments.size.empty()) {
    const PictureSize size = parse_size("--size", arguments.size);
    request.clip.width = size.width;
    request.clip.height = size.height;
  }
  request.clip.motion = puppet::parse_motion(arguments.motion);
}

pipeline::ConditionSet parse_joined_conditions(std::string name) {
  std::ranges::replace(name, '+', ',');
  return pipeline::ConditionSet::parse(name);
}

void prepare_evaluation_output(const fs::path& folder, const std::string& name) {
  make_folder(folder);
  const OutputPath trial(folder / name);
  std::error_code problem;
  constexpr std::uintmax_t kNeededBytes = 32'000'000;
  const fs::space_info space = fs::space(folder, problem);
  // Some file systems do not know their size.
  if (problem || space.capacity == 0 || space.available >= kNeededBytes) return;
  throw Error(ErrorKind::kEnvironment,
              "the disk of {} has {} left, but the results need up to {}; make room or choose "
              "another output",
              printable(folder.string()), format_bytes(static_cast<std::int64_t>(space.available)),
              format_bytes(static_cast<std::int64_t>(kNeededBytes)));
}

void tell_evaluation_plan(const evaluation::ModelEvaluationRequest& request, const pipeline::ModelFiles& files,
                          const pipeline::RuntimeOptions& runtime) {
  const std::vector<pipeline::AnimatePlan> plans =
      evaluation::plan_evaluation(request, pipeline::read_model_configs(files), runtime);
  std::int64_t unet_calls = 0;
  double seconds = 0;
  for (const pipeline::AnimatePlan& plan : plans) {
    unet_calls += plan.unet_calls;
    seconds += pipeline::estimate_seconds(plan, runtime.compute);
  }
  const auto people = static_cast<std::int64_t>(request.people.count());
  print(stdout, "{} people with {} settings: {} videos of {} frames, {} calls of the UNet, about {} for sampling\n",
        people, plans.size(), people * static_cast<std::int64_t>(plans.size()), request.clip.frames,
        people * unet_calls, format_duration(seconds * static_cast<double>(people)));
}

}  // namespace unianimate::cli
