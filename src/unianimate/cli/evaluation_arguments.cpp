#include "unianimate/cli/evaluation_arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "unianimate/cli/console.h"
#include "unianimate/cli/integer_option.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/number_list.h"
#include "unianimate/cli/progress_meter.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/core/memory.h"
#include "unianimate/core/output_file.h"
#include "unianimate/families/families.h"
#include "unianimate/pipeline/estimate.h"
#include "unianimate/studio/job_record.h"

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

void take_people(const PeopleArguments& arguments, const family::AnimateRequest& defaults,
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

family::ConditionSet parse_joined_conditions(std::string name) {
  std::ranges::replace(name, '+', ',');
  return family::ConditionSet::parse(name);
}

void prepare_evaluation_output(const fs::path& folder, const std::string& name) {
  make_folder(folder);
  const OutputPath trial(folder / name);
  constexpr std::uintmax_t kNeededBytes = 32'000'000;
  require_room(folder, kNeededBytes, "what is measured");
}

void require_few_settings(std::size_t settings) {
  if (settings <= evaluation::kMostSettings) return;
  throw Error(ErrorKind::kUsage, "the lists give more than {} settings to measure; leave some values out",
              evaluation::kMostSettings);
}

namespace {

nlohmann::ordered_json plan_json(const EvaluationPlan& plan, const std::vector<pipeline::AnimatePlan>& plans,
                                 double seconds) {
  const evaluation::ModelEvaluationRequest& request = plan.request;
  const auto people = static_cast<std::int64_t>(request.people.count());
  nlohmann::ordered_json settings = nlohmann::ordered_json::array();
  std::int64_t unet_calls = 0;
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    auto& setting = settings.emplace_back(nlohmann::ordered_json{{"conditions", request.settings[i].conditions},
                                                                 {"unet_calls_per_video", plans[i].model_calls}});
    if (!plan.strategies.empty()) setting["strategy"] = plan.strategies[i];
    setting["request"] = studio::request_json(request.fill_in(request.settings[i]));
    unet_calls += people * plans[i].model_calls;
    bytes = std::max(bytes, plans[i].peak_bytes);
  }
  return {{"event", "evaluation_plan"},
          {"output", plan.output.string()},
          {"first_person", request.people.first},
          {"last_person", request.people.last},
          {"motion", puppet::motion_name(request.clip.motion)},
          {"frames", request.clip.frames},
          {"width", request.clip.width},
          {"height", request.clip.height},
          {"frames_per_second", request.clip.frames_per_second},
          {"reconstruction", request.reconstruction},
          {"videos", !request.videos.empty()},
          {"machine", machine_json(plan.files, plan.runtime)},
          {"settings", std::move(settings)},
          {"unet_calls", unet_calls},
          {"estimated_bytes", bytes},
          {"estimated_seconds", seconds}};
}

}  // namespace

void tell_evaluation_plan(const EvaluationPlan& plan, const RuntimeArguments& machine, Progress& progress) {
  const evaluation::ModelEvaluationRequest& request = plan.request;
  const std::vector<pipeline::AnimatePlan> plans =
      evaluation::plan_evaluation(request, *family::open_family(plan.files, plan.runtime));
  const auto people = static_cast<std::int64_t>(request.people.count());
  std::int64_t unet_calls = 0;
  double seconds = 0;
  for (const pipeline::AnimatePlan& each : plans) {
    unet_calls += people * each.model_calls;
    seconds += static_cast<double>(people) * pipeline::estimate_seconds(each, plan.runtime.compute);
  }
  for (const std::string& note : plans.front().notes) progress.note(note);
  if (machine.json) return print_json_line(plan_json(plan, plans, seconds));
  print(stdout, "{} people with {} settings: {} videos of {} frames, {} calls of the UNet, about {} for sampling\n",
        people, plans.size(), people * static_cast<std::int64_t>(plans.size()), request.clip.frames, unet_calls,
        format_duration(seconds));
}

}  // namespace unianimate::cli
