// unianimate evaluate long: which way of making long videos is nearest to the truth.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/evaluation_arguments.h"
#include "unianimate/cli/integer_option.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/number_list.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/evaluation/long_video_report.h"
#include "unianimate/families/families.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/studio/model_choice.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

puppet::ClipOptions long_clip() {
  constexpr std::int64_t kFrames = 1000;
  puppet::ClipOptions clip = evaluation::ModelEvaluationRequest().clip;
  clip.frames = kFrames;
  return clip;
}

/// Options as they were written.
struct LongArguments {
  PeopleArguments people{.people = "900000-900001", .size = {}, .clip = long_clip()};
  std::string conditions = "reference";
  std::string steps;
  std::string strategies = "published,even,even-hann,moving-hann,chain,chain-color";
  std::string seed = "11";
  std::string context_size;
  std::string context_overlap;
  std::string output;
  RequestArguments request;
  RuntimeArguments runtime;
};

constexpr const char* kExamples = R"(Examples:
  unianimate evaluate long --people 900000-900001 --frames 1000 --output long
  unianimate evaluate long --steps 1,4 --strategies published,even-hann,chain-color-32-overlap2 --output long

People are procedural, so that every true frame is known, see 'unianimate evaluate model'. A strategy is published, even
or moving (where windows lie), alone or with -pyramid or -hann (how frames count where windows overlap); or chain
(segments), with any of -color (matched to the reference), -N (frames in a segment), -overlapN (frames that two share)
and, for the windows in longer segments, -even, -moving, -pyramid and -hann.

The folder gets long_videos.md and long_videos.json (quality, errors at borders of windows and inside them, drift of
colours, calls and seconds), and plots of the errors around borders and of colours over time.)";

std::int64_t parse_frame_count(const std::string& option, const std::string& text, std::int64_t fallback) {
  if (text.empty()) return fallback;
  if (const auto number = parse_integer<std::int64_t>(text)) return *number;
  throw Error(ErrorKind::kUsage, "{} expects a whole number, found '{}'", option, printable(text));
}

evaluation::LongVideoRequest to_request(const LongArguments& arguments, const family::AnimateRequest& defaults) {
  evaluation::LongVideoRequest request;
  take_people(arguments.people, defaults, request.videos);
  family::AnimateRequest common = defaults;
  take_sampler(arguments.request, common);
  take_model_defaults(arguments.request, defaults, common);
  common.sampling.eta = arguments.request.rest.sampling.eta;
  common.context.size = parse_frame_count("--context-size", arguments.context_size, defaults.context.size);
  common.context.overlap = parse_frame_count("--context-overlap", arguments.context_overlap, defaults.context.overlap);
  common.seed = parse_seed(arguments.seed);
  const auto steps = arguments.steps.empty() ? std::vector{defaults.sampling.steps}
                                             : parse_numbers<std::int64_t>("--steps", arguments.steps);
  for (const std::string_view conditions : split(arguments.conditions, ',')) {
    common.conditions = parse_joined_conditions(std::string(conditions));
    for (const std::int64_t count : steps) {
      common.sampling.steps = count;
      for (const std::string_view name : split(arguments.strategies, ',')) {
        const auto strategy = evaluation::LongVideoStrategy::parse(name);
        evaluation::Setting setting{std::string(conditions), common};
        strategy.apply(setting.request);
        request.videos.settings.push_back(std::move(setting));
        request.strategies.push_back(strategy);
        require_few_settings(request.strategies.size());
      }
    }
  }
  request.check();
  return request;
}

void write_results(const evaluation::LongVideoEvaluation& evaluation, const fs::path& folder, Progress& progress) {
  const auto place = [&](const std::string& name, std::string_view mark) {
    return own_place(folder / name, mark, {}, progress);
  };
  write_file_atomically(place("long_videos.md", kMark), evaluation::long_video_markdown(evaluation));
  write_file_atomically(place("long_videos.json", kMark), evaluation::long_video_json(evaluation).dump(2) + "\n");
  for (const evaluation::NamedPicture& plot : evaluation::long_video_plots(evaluation)) {
    write_png(place(plot.name + ".png", kPictureMark), plot.picture);
  }
}

void evaluate_long_videos(const LongArguments& arguments, Session& session) {
  const fs::path models = studio::models_to_animate_with(arguments.runtime.models);
  const evaluation::LongVideoRequest request = to_request(arguments, family::default_request(models));
  const family::RuntimeOptions runtime = prepare_runtime(arguments.runtime);
  const family::ModelFiles files = family::find_model_files(models);
  if (arguments.runtime.dry_run) {
    EvaluationPlan plan{request.videos, files, runtime, arguments.output, {}};
    for (const evaluation::LongVideoStrategy& strategy : request.strategies) plan.strategies.push_back(strategy.name);
    return tell_evaluation_plan(plan, arguments.runtime, *session.reporter);
  }
  const fs::path output = arguments.output;
  prepare_evaluation_output(output, "long_videos.json");
  studio::tell_models(models, *session.reporter);
  session.reporter->note(runtime.compute.reason);
  const evaluation::LongVideoEvaluation evaluation =
      evaluation::evaluate_long_videos(request, *family::open_family(files, runtime), *session.reporter);
  write_results(evaluation, output, *session.reporter);
  if (arguments.runtime.json) {
    nlohmann::ordered_json event{{"event", "long_videos"}, {"output", output.string()}};
    event.update(evaluation::long_video_json(evaluation));
    return print_json_line(event);
  }
  if (!arguments.runtime.quiet) print(stdout, "{}", evaluation::long_video_table(evaluation));
  print(stdout, "{}\n", printable((output / "long_videos.md").string(), kMessageBytes));
}

}  // namespace

CommandWork add_evaluate_long_command(CLI::App& command, Session& session) {
  const auto arguments = std::make_shared<LongArguments>();
  add_people_options(command, arguments->people);
  command.add_option("--output,-o", arguments->output, "Folder for the results")->type_name("DIR")->required();
  const auto add_setting = [&](const std::string& name, std::string& value, const char* type,
                               const std::string& description) {
    command.add_option(name, value, description)->capture_default_str()->type_name(type)->group("Settings");
  };
  add_setting("--strategies", arguments->strategies, "LIST", "Ways of making long videos, see below");
  add_setting("--conditions", arguments->conditions, "LIST", "Sets of conditions");
  add_setting("--steps", arguments->steps, "LIST", "Sampling steps (default: what suits the model)");
  add_setting("--seed", arguments->seed, "N", "Start of the random numbers");
  add_setting("--context-size", arguments->context_size, "N", "Frames in a window (default: what suits the model)");
  add_setting("--context-overlap", arguments->context_overlap, "N",
              "Frames that neighbouring windows share (default: what suits the model)");
  add_sampler_options(command, arguments->request);
  add_runtime_options(command, arguments->runtime);
  command.footer(kExamples);
  return {[arguments, &session] { evaluate_long_videos(*arguments, session); }, &arguments->runtime.json,
          &arguments->runtime.quiet};
}

}  // namespace unianimate::cli
