// unianimate evaluate long: which way of making long videos is nearest to the truth.
#include <CLI/CLI.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/evaluation_arguments.h"
#include "unianimate/cli/number_list.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/evaluation/long_video_report.h"
#include "unianimate/families/families.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/command_line.h"
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

PeopleArguments usual_long_people() {
  constexpr evaluation::PeopleRange kTwo{.first = 900'000, .last = 900'001};
  return {kTwo, long_clip()};
}

/// What is measured beside the settings.
struct LongArguments {
  fs::path output;
  std::string strategies = "published,even,even-hann,moving-hann,chain,chain-color";
  std::string conditions = "reference";
};

void visit(fields::Archive& archive, LongArguments& arguments) {
  archive("output", arguments.output, fields::option("--output,-o"), fields::type("DIR"), fields::kRequired,
          "Folder for the results");
  archive("strategies", arguments.strategies, fields::type("LIST"), fields::group(diffusion::kWindowGroup),
          "Ways of making long videos, see below");
  archive("conditions", arguments.conditions, fields::type("LIST"), fields::group(diffusion::kSamplingGroup),
          "Sets of conditions");
}

struct LongOptions {
  fields::CommandLine people;
  fields::CommandLine request;
  fields::CommandLine rest;
};

constexpr const char* kEvaluateLongExamples = R"(Examples:
  unianimate evaluate long --people 900000-900001 --frames 1000 --output long
  unianimate evaluate long --steps 1,4 --strategies published,even-hann,chain-color-32-overlap2 --output long

People are procedural, so that every true frame is known, see 'unianimate evaluate model'. A strategy is published, even
or moving (where windows lie), alone or with -pyramid or -hann (how frames count where windows overlap); or chain
(segments), with any of -color (matched to the reference), -N (frames in a segment), -overlapN (frames that two share)
and, for the windows in longer segments, -even, -moving, -pyramid and -hann.

The folder gets long_videos.md and long_videos.json (quality, errors at borders of windows and inside them, drift of
colours, calls and seconds), and plots of the errors around borders and of colours over time.)";

evaluation::LongVideoRequest request_of(const LongOptions& options, const LongArguments& arguments,
                                        const family::AnimateRequest& defaults) {
  evaluation::LongVideoRequest request;
  take_people(options.people, usual_long_people(), defaults, request.videos);
  const std::vector<family::AnimateRequest> requests = take_shared(options.request, defaults);
  for (const std::string_view conditions : split(arguments.conditions, ',')) {
    for (const family::AnimateRequest& one : requests) {
      for (const std::string_view name : split(arguments.strategies, ',')) {
        const auto strategy = evaluation::LongVideoStrategy::parse(name);
        evaluation::Setting setting{std::string(conditions), one};
        setting.request.conditions = parse_joined_conditions(std::string(conditions));
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

void evaluate_long_videos(const LongOptions& options, Session& session) {
  const auto arguments = options.rest.taken<LongArguments>();
  const auto machine = options.rest.taken<RuntimeArguments>();
  const fs::path models = studio::models_to_animate_with(machine.models);
  const evaluation::LongVideoRequest request =
      request_of(options, arguments, families::default_request(models, machine.loras));
  EvaluationPlan plan{request.videos,
                      find_models({{models, machine.loras}}, request.videos, prepare_runtime(machine)),
                      arguments.output,
                      {}};
  for (const evaluation::LongVideoStrategy& strategy : request.strategies) plan.strategies.push_back(strategy.name);
  Progress& progress = *session.reporter;
  if (machine.dry_run) return tell_evaluation_plan(plan, machine, progress);
  const OpenModels opened = open_to_evaluate(plan, "long_videos.json", progress);
  const evaluation::LongVideoEvaluation evaluation =
      evaluation::evaluate_long_videos(request, *opened.families.front(), progress);
  const EvaluationReport report{"long_videos", evaluation::long_video_markdown(evaluation),
                                evaluation::long_video_json(evaluation), evaluation::long_video_table(evaluation),
                                evaluation::long_video_plots(evaluation)};
  tell_evaluation(report, arguments.output, machine, progress);
}

}  // namespace

CommandWork add_evaluate_long_command(CLI::App& command, Session& session) {
  const auto options = std::make_shared<LongOptions>();
  options->people.add(command, usual_long_people());
  options->rest.add(command, LongArguments());
  options->request.add_lists<family::AnimateRequest>(command, {"steps"});
  options->request.add(command, family::AnimateRequest(),
                       fields::only({"seed", "sampler", "timesteps", "final_level", "eta", "noise_prior_order",
                                     "context_size", "context_overlap", "carry_state", "decoder"}));
  options->rest.add(command, RuntimeArguments());
  command.footer(kEvaluateLongExamples);
  return {[options, &session] { evaluate_long_videos(*options, session); }, {options, &options->rest}};
}

}  // namespace unianimate::cli
