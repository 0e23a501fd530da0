#include "unianimate/cli/evaluation_arguments.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "unianimate/cli/console.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/number_list.h"
#include "unianimate/core/memory.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/families/families.h"
#include "unianimate/family/presets.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/json_archive.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pipeline/estimate.h"
#include "unianimate/puppet/motion_field.h"
#include "unianimate/studio/event_json.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/progress_meter.h"

template <>
struct unianimate::fields::TextForm<unianimate::evaluation::PeopleRange> {
  static std::string text(const evaluation::PeopleRange& people) {
    return fmt::format("{}-{}", people.first, people.last);
  }
  static evaluation::PeopleRange parse(std::string_view text) {
    const std::vector<std::string_view> ends = cli::split(text, '-');
    const auto first = cli::parse_integer<std::uint64_t>(ends.front());
    const auto last = cli::parse_integer<std::uint64_t>(ends.back());
    if (ends.size() <= 2 && first && last) return {*first, *last};
    throw Error(ErrorKind::kUsage, "--people expects one seed or two, such as 900000-900031, found '{}'",
                printable(text));
  }
};

namespace unianimate::cli {

namespace fs = std::filesystem;

void visit(fields::Archive& archive, PeopleArguments& arguments) {
  puppet::ClipOptions& clip = arguments.clip;
  archive("people", arguments.people, fields::type("N-N"), "Seeds of the people");
  archive("frames", clip.frames, fields::range(1, puppet::kMostFrames), "Frames of each video");
  archive.size("size", clip.width, clip.height, fields::range(puppet::kSmallestSide, puppet::kLargestSide, "pixels"),
               fields::kUntoldDefault, "Width x height of the videos (default: what suits the model)");
  archive("motion", clip.motion, fields::type("NAME"), "dance, walk or wave");
  archive("fps", clip.frames_per_second, fields::range(puppet::kSlowestRate, puppet::kFastestRate), fields::type("N"),
          "Frames a second of the motion");
}

void take_people(const fields::CommandLine& options, const PeopleArguments& usual,
                 const family::AnimateRequest& defaults, evaluation::ModelEvaluationRequest& request) {
  PeopleArguments arguments = usual;
  arguments.clip.width = defaults.width;
  arguments.clip.height = defaults.height;
  options.take(arguments);
  request.people = arguments.people;
  request.clip = arguments.clip;
}

fields::Filter shared_settings() {
  return fields::all_but({"reference", "background", "poses", "size", "frames", "frame_interval", "steps",
                          "guidance_scale", "seed", "noise_prior", "conditions", "comparison"});
}

std::vector<family::AnimateRequest> take_shared(const fields::CommandLine& options,
                                                const family::AnimateRequest& defaults) {
  const std::size_t count = options.combinations(defaults, evaluation::kMostSettings).size();
  std::vector<family::AnimateRequest> requests;
  for (std::size_t i = 0; i < count; ++i) {
    // a preset is fitted to the values of lists as well
    requests.push_back(family::with_preset(defaults, [&](family::AnimateRequest& taken) {
      options.take(taken);
      taken = options.combinations(taken, evaluation::kMostSettings)[i];
    }));
  }
  if (requests.front().sampling.timesteps.rule == diffusion::TimestepRule::kOwn) {
    options.refuse(fields::only({"steps"}), "with a list of --timesteps, which says how many there are");
  }
  return requests;
}

family::ConditionSet parse_joined_conditions(std::string name) {
  std::ranges::replace(name, '+', ',');
  return family::ConditionSet::parse(name);
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
    setting["request"] = fields::write_json(request.fill_in(request.settings[i]));
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
          {"machine", studio::machine_json(plan.models.front().files, plan.models.front().runtime)},
          {"settings", std::move(settings)},
          {"unet_calls", unet_calls},
          {"estimated_bytes", bytes},
          {"estimated_seconds", seconds}};
}

OpenModels opened(const EvaluationPlan& plan) {
  OpenModels models;
  for (const EvaluatedModels& each : plan.models) {
    models.owned.push_back(families::open_family(each.files, each.runtime));
    models.families.push_back(models.owned.back().get());
  }
  return models;
}

}  // namespace

std::vector<EvaluatedModels> find_models(const std::vector<ModelChoice>& choices,
                                         const evaluation::ModelEvaluationRequest& request,
                                         const family::RuntimeOptions& runtime) {
  std::vector<EvaluatedModels> models;
  for (const ModelChoice& choice : choices) {
    EvaluatedModels& each = models.emplace_back();
    each.folder = choice.folder;
    each.files = families::find_files(choice.folder);
    each.runtime = runtime;
    each.runtime.loras = choice.loras;
    if (choices.size() > 1) {
      const std::int64_t all = runtime.memory_budget > 0 ? runtime.memory_budget : usable_bytes(runtime.compute.device);
      each.runtime.memory_budget = all / static_cast<std::int64_t>(choices.size());
    }
    const auto distillation = families::find_distillation(choice.folder, choice.loras);
    if (!distillation) continue;
    each.told = distillation->sentence();
    for (const evaluation::Setting& setting : request.settings) {
      if (setting.models + 1 != models.size()) continue;
      studio::check_distilled(*distillation, setting.request, "+");
    }
  }
  return models;
}

void tell_evaluation_plan(const EvaluationPlan& plan, const RuntimeArguments& machine, Progress& progress) {
  const evaluation::ModelEvaluationRequest& request = plan.request;
  const OpenModels models = opened(plan);
  const std::vector<pipeline::AnimatePlan> plans = evaluation::plan_evaluation(request, models.families);
  const auto people = static_cast<std::int64_t>(request.people.count());
  std::int64_t unet_calls = 0;
  double seconds = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    family::Family& family = *models.families[request.settings[i].models];
    unet_calls += people * plans[i].model_calls;
    seconds += static_cast<double>(people) * pipeline::total_seconds(pipeline::estimate_phases(plans[i], family, {}));
  }
  for (const std::string& note : plans.front().notes) progress.note(note);
  if (machine.messages.json) return print_json_line(plan_json(plan, plans, seconds));
  print(stdout, "{} people with {} settings: {} videos of {} frames, {} calls of the UNet, about {} for the models\n",
        people, plans.size(), people * static_cast<std::int64_t>(plans.size()), request.clip.frames, unet_calls,
        format_duration(seconds));
}

OpenModels open_to_evaluate(const EvaluationPlan& plan, const std::string& name, Progress& progress) {
  make_folder(plan.output);
  const OutputPath trial(plan.output / name);
  constexpr std::uintmax_t kNeededBytes = 32'000'000;
  require_room(plan.output, kNeededBytes, "what is measured");
  studio::tell_models(plan.models.front().folder, progress);
  for (const EvaluatedModels& each : plan.models) {
    if (!each.told.empty()) progress.note(each.told);
  }
  progress.note(plan.models.front().runtime.compute.reason);
  return opened(plan);
}

void tell_evaluation(const EvaluationReport& report, const fs::path& folder, const RuntimeArguments& machine,
                     Progress& progress) {
  const auto place = [&](const std::string& name, std::string_view mark) {
    return own_place(folder / name, mark, {}, progress);
  };
  const std::string markdown = report.name + ".md";
  write_file_atomically(place(markdown, kMark), report.markdown);
  write_file_atomically(place(report.name + ".json", kMark), report.json.dump(2) + "\n");
  for (const evaluation::NamedPicture& picture : report.pictures) {
    write_png(place(picture.name + ".png", kPictureMark), picture.picture);
  }
  if (machine.messages.json) {
    nlohmann::ordered_json event{{"event", report.name}, {"output", folder.string()}};
    event.update(report.json);
    return print_json_line(event);
  }
  if (!machine.messages.quiet) print(stdout, "{}", report.table);
  print(stdout, "{}\n", printable((folder / markdown).string(), kMessageBytes));
}

}  // namespace unianimate::cli
